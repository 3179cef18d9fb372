import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../../ports.ts';
import type { Device } from '../directory.ts';
import { badRequest, IqError, notAuthorized } from '../iq-error.ts';
import { assertSigned, bundleNodes, digestNode, readSignedPreKey, readUpload } from '../published-keys.ts';
import { child, children, firstChild, node, serverStamp, unixSeconds } from '../stanzas.ts';
import type { World } from '../world.ts';
import type { IqHandler } from './handler.ts';

/** Below this many one-time pre-keys a device is told to upload more. */
const lowWater = 5;

export const answerEncrypt: IqHandler = ({ from, iq }, world) => {
  const device = world.directory.device(from);
  if (!device) throw notAuthorized();
  if (iq.attrs.type === 'set') return child(iq, 'rotate') ? rotate(device, iq) : upload(device, iq);
  switch (firstChild(iq)?.tag) {
    case 'count':
      return [node('count', { value: String(device.keys.preKeys.length) })];
    case 'digest':
      return device.keys.preKeys.length > 0 ? [digestNode(device)] : [];
    case 'key':
      return [
        node(
          'list',
          {},
          children(child(iq, 'key'), 'user').map((user) => bundleOf(user, world)),
        ),
      ];
    default:
      throw badRequest();
  }
};

function upload(device: Device, iq: BinaryNode): BinaryNode[] {
  const { registrationId, identityKey, signedPreKey, preKeys } = readUpload(iq);
  if (!Buffer.from(identityKey).equals(device.keys.identityKey)) throw badRequest('the identity is another one');
  const known = new Set(device.keys.preKeys.map(({ keyId }) => keyId));
  device.keys.registrationId = registrationId;
  device.keys.signedPreKey = signedPreKey;
  device.keys.preKeys.push(...preKeys.filter(({ keyId }) => !known.has(keyId)));
  return [];
}

function rotate(device: Device, iq: BinaryNode): BinaryNode[] {
  const rotated = child(iq, 'rotate');
  if (!rotated) throw badRequest();
  const signedPreKey = readSignedPreKey(rotated);
  assertSigned(device.keys.identityKey, signedPreKey);
  device.keys.signedPreKey = signedPreKey;
  return [];
}

function bundleOf(user: BinaryNode, world: World): BinaryNode {
  const { jid } = user.attrs;
  if (!jid) throw badRequest();
  const device = world.directory.deviceOf(jid);
  if (!device) return node('user', { jid }, [new IqError(404, 'item-not-found').toNode()]);
  const bundle = bundleNodes(device);
  if (device.keys.preKeys.length < lowWater) tellLow(device.address, device.keys.preKeys.length, world);
  return node('user', { jid, t: unixSeconds() }, bundle);
}

function tellLow(device: DeviceAddress, count: number, world: World): void {
  const attrs = { from: serverStamp, id: world.nextId(), type: 'encrypt', t: unixSeconds() };
  world.post.deliver(device, node('notification', attrs, [node('count', { value: String(count) })]));
}
