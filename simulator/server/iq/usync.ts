import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../../ports.ts';
import { type Account, accountJid, deviceKey, deviceListHash, modeOf } from '../directory.ts';
import { badRequest } from '../iq-error.ts';
import { attributes, child, children, node, nodesOf, text, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler } from './handler.ts';

/** usync: facts about users, by protocol (`contact`, `devices`, `lid`, `status`, ...). Who asked for devices is told of changes. */
export const answerUsync: IqHandler = ({ from, iq }, world) => {
  const usync = child(iq, 'usync');
  const query = child(usync, 'query');
  if (!usync || !query) throw badRequest();
  const protocols = nodesOf(query).map(({ tag }) => tag);
  const users = children(child(usync, 'list'), 'user').map((user) => answerUser(user, protocols, from, world));
  const { sid, mode, context, index, last } = usync.attrs;
  return [
    node('usync', attributes({ sid, mode, context, index, last }), [
      node(
        'result',
        {},
        protocols.map((protocol) => node(protocol)),
      ),
      node('list', {}, users),
    ]),
  ];
};

function answerUser(user: BinaryNode, protocols: string[], asker: DeviceAddress, world: World): BinaryNode {
  const phone = text(child(user, 'contact')?.content).replace(/\D/g, '');
  const jid = user.attrs.jid ?? `${phone}@s.whatsapp.net`;
  const account = world.directory.accountOf(jid);
  const known = account && protocols.flatMap((protocol) => answerProtocol(protocol, account, jid, asker));
  const unknown = protocols.includes('contact') ? [node('contact', { type: 'out' })] : [];
  return node('user', { jid }, known ?? unknown);
}

function answerProtocol(protocol: string, account: Account, jid: string, asker: DeviceAddress): BinaryNode[] {
  switch (protocol) {
    case 'contact':
      return [node('contact', { type: 'in' })];
    case 'devices':
      account.deviceWatchers.set(`${deviceKey(asker)} ${modeOf(jid)}`, { address: asker, mode: modeOf(jid) });
      return [node('devices', {}, [deviceList(account), node('key-index-list', { ts: unixSeconds() })])];
    case 'lid':
      return modeOf(jid) === 'pn' ? [node('lid', { val: accountJid(account, 'lid') })] : [];
    case 'status':
      return [node('status', { t: String(account.status.at) }, Buffer.from(account.status.text))];
    case 'disappearing_mode':
      return [node('disappearing_mode', { duration: '0', t: '0' })];
    case 'picture':
    case 'business':
    case 'username':
    case 'bot':
      return [node(protocol)];
    default:
      return [];
  }
}

function deviceList(account: Account): BinaryNode {
  const devices = [...account.devices.values()].map(({ address, keyIndex }) =>
    node('device', { id: String(address.device), ...(address.device > 0 && { 'key-index': String(keyIndex) }) }),
  );
  return node('device-list', { hash: deviceListHash(account) }, devices);
}
