import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  jidDecode,
  jidEncode,
} from '@whiskeysockets/baileys';
import type {
  AccountSeed,
  DeviceAddress,
  DeviceEndpoint,
  LinkRequest,
  PublishedKeys,
  Relay,
} from '../../simulator/ports.ts';

interface Device {
  address: DeviceAddress;
  keys: PublishedKeys;
  endpoint?: DeviceEndpoint;
  waiting: BinaryNode[];
}

const bytes = (value: number, width: number): Buffer => {
  const buffer = Buffer.alloc(width);
  buffer.writeUIntBE(value, 0, width);
  return buffer;
};

const leaf = (tag: string, content?: BinaryNode['content'], attrs: Record<string, string> = {}): BinaryNode => ({
  tag,
  attrs,
  ...(content === undefined ? {} : { content }),
});

/** Just enough of a server for virtual devices to meet: routing by list, keys, device lists, one group. */
export class TinyRelay implements Relay {
  readonly devices: Device[] = [];
  readonly submitted: { from: DeviceAddress; stanza: BinaryNode }[] = [];
  readonly groups = new Map<string, string[]>();
  linked: LinkRequest[] = [];
  /** may change or drop (undefined) what is delivered */
  tamper: (stanza: BinaryNode, to: DeviceAddress) => BinaryNode | undefined = (stanza) => stanza;
  private sequence = 0;

  addAccount({ pn, lid }: AccountSeed, keys: PublishedKeys): DeviceAddress {
    return this.add({ pn, lid: lid ?? `9${pn}`, device: 0 }, keys);
  }

  addDevice(pn: string, keys: PublishedKeys, _identity: Uint8Array, device?: number): DeviceAddress {
    const own = this.devices.filter(({ address }) => address.pn === pn);
    return this.add({ pn, lid: own[0]?.address.lid ?? '', device: device ?? own.length }, keys);
  }

  attach(endpoint: DeviceEndpoint): void {
    const device = this.device(endpoint.address);
    device.endpoint = endpoint;
    for (const stanza of device.waiting.splice(0)) endpoint.deliver(stanza);
  }

  detach(address: DeviceAddress): void {
    delete this.device(address).endpoint;
  }

  submit(from: DeviceAddress, stanza: BinaryNode): void {
    this.submitted.push({ from, stanza });
    if (stanza.tag === 'message') this.routeMessage(from, stanza);
    if (stanza.tag === 'receipt') this.routeReceipt(from, stanza);
    if (stanza.tag === 'chatstate') {
      for (const device of this.devicesOf(stanza.attrs.to ?? '')) {
        this.hand(device, { ...stanza, attrs: { from: jidEncode(from.lid, 'lid') } });
      }
    }
  }

  async query(_from: DeviceAddress, iq: BinaryNode): Promise<BinaryNode> {
    const [content] = iq.content as BinaryNode[];
    if (iq.attrs.xmlns === 'usync') return leaf('iq', [this.usync(content as BinaryNode)], { type: 'result' });
    if (iq.attrs.xmlns === 'encrypt') return leaf('iq', [this.bundles(content as BinaryNode)], { type: 'result' });
    if (iq.attrs.xmlns === 'w:g2') {
      const members = this.groups.get(iq.attrs.to ?? '') ?? [];
      const participants = members.map((jid) => leaf('participant', undefined, { jid }));
      return leaf('iq', [leaf('group', participants, { id: iq.attrs.to ?? '', addressing_mode: 'lid' })], {
        type: 'result',
      });
    }
    return leaf('iq', [], { type: 'result' });
  }

  async link(request: LinkRequest): Promise<DeviceAddress> {
    this.linked.push(request);
    const { lid } = this.devices.find(({ address }) => address.pn === request.pn)?.address ?? { lid: '' };
    return { pn: request.pn, lid, device: 1 };
  }

  hand(device: Device, stanza: BinaryNode): void {
    const changed = this.tamper(stanza, device.address);
    if (!changed) return;
    if (device.endpoint) device.endpoint.deliver(changed);
    else device.waiting.push(changed);
  }

  device(address: DeviceAddress): Device {
    const found = this.devices.find((d) => d.address.pn === address.pn && d.address.device === address.device);
    if (!found) throw new Error('No such device');
    return found;
  }

  private add(address: DeviceAddress, keys: PublishedKeys): DeviceAddress {
    this.devices.push({ address, keys, waiting: [] });
    return address;
  }

  private devicesOf(jid: string): Device[] {
    const decoded = jidDecode(jid);
    const own = this.devices.filter(({ address }) => address.lid === decoded?.user || address.pn === decoded?.user);
    return decoded?.device === undefined ? own : own.filter(({ address }) => address.device === decoded.device);
  }

  private routeMessage(from: DeviceAddress, stanza: BinaryNode): void {
    const { to = '', id = '', type = 'text', participant, recipient, category } = stanza.attrs;
    const group = to.endsWith('@g.us');
    const author = jidEncode(from.lid, 'lid', from.device);
    const rest = (stanza.content as BinaryNode[]).filter(({ tag }) => tag !== 'participants');
    const base = {
      id,
      type,
      t: '1',
      ...(group
        ? { from: to, participant: author, participant_pn: `${from.pn}@s.whatsapp.net` }
        : { from: author, sender_pn: `${from.pn}@s.whatsapp.net` }),
    };
    const listed = new Map(
      getBinaryNodeChildren(getBinaryNodeChild(stanza, 'participants'), 'to').map((node) => [
        node.attrs.jid ?? '',
        node.content as BinaryNode[],
      ]),
    );
    const targets =
      group && !participant
        ? (this.groups.get(to) ?? []).flatMap((jid) => this.devicesOf(jid))
        : listed.size > 0
          ? [...listed.keys()].flatMap((jid) => this.exact(jid))
          : this.exact(participant ?? to);
    for (const device of targets) {
      if (device.address.pn === from.pn && device.address.device === from.device) continue;
      const own = device.address.pn === from.pn;
      const mine = listed.get(jidEncode(device.address.lid, 'lid', device.address.device)) ?? [];
      const attrs = {
        ...base,
        ...(category ? { category } : {}),
        ...(own && !group && !category ? { recipient: recipient ?? to } : {}),
      };
      this.hand(device, leaf('message', [...mine, ...rest], attrs));
    }
    this.hand(this.device(from), leaf('ack', undefined, { id, class: 'message', from: to, t: `${++this.sequence}` }));
  }

  private exact(jid: string): Device[] {
    const device = jidDecode(jid)?.device ?? 0;
    return this.devicesOf(jid).filter(({ address }) => address.device === device);
  }

  private routeReceipt(from: DeviceAddress, stanza: BinaryNode): void {
    const { to = '', participant, type } = stanza.attrs;
    const group = to.endsWith('@g.us');
    const retry = type === 'retry';
    const author = retry ? jidEncode(from.lid, 'lid', from.device) : jidEncode(from.lid, 'lid');
    const target = group ? (participant ?? '') : to;
    const route: Record<string, string> = group ? { from: to, participant: author } : { from: author };
    const { to: _, participant: __, ...kept } = stanza.attrs;
    for (const device of retry ? this.exact(target) : this.devicesOf(jidEncode(jidDecode(target)?.user ?? '', 'lid'))) {
      this.hand(device, { ...stanza, attrs: { ...kept, ...route } });
    }
  }

  private usync(query: BinaryNode): BinaryNode {
    const users = getBinaryNodeChildren(getBinaryNodeChild(query, 'list'), 'user').map(({ attrs }) => {
      const devices = this.devicesOf(attrs.jid ?? '');
      const list = devices.map(({ address }) =>
        leaf('device', undefined, { id: `${address.device}`, 'key-index': `${address.device}` }),
      );
      const lid = devices[0] ? [leaf('lid', undefined, { val: `${devices[0].address.lid}@lid` })] : [];
      return leaf('user', [leaf('devices', [leaf('device-list', list)]), ...lid], { jid: attrs.jid ?? '' });
    });
    return leaf('usync', [leaf('list', users)]);
  }

  private bundles(request: BinaryNode): BinaryNode {
    const users = getBinaryNodeChildren(request, 'user').map(({ attrs }) => {
      const [device] = this.exact(attrs.jid ?? '');
      if (!device) return leaf('user', [leaf('error', undefined, { code: '404' })], { jid: attrs.jid ?? '' });
      const { registrationId, identityKey, signedPreKey, preKeys } = device.keys;
      const preKey = preKeys.shift();
      const one = preKey ? [leaf('key', [leaf('id', bytes(preKey.keyId, 3)), leaf('value', preKey.publicKey)])] : [];
      const skey = [
        leaf('id', bytes(signedPreKey.keyId, 3)),
        leaf('value', signedPreKey.publicKey),
        leaf('signature', signedPreKey.signature),
      ];
      return leaf(
        'user',
        [
          leaf('registration', bytes(registrationId, 4)),
          leaf('type', Buffer.from([5])),
          leaf('identity', identityKey),
          leaf('skey', skey),
          ...one,
        ],
        { jid: attrs.jid ?? '' },
      );
    });
    return leaf('list', users);
  }
}
