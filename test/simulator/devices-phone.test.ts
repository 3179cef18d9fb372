import { downloadAndProcessHistorySyncNotification, proto } from '@whiskeysockets/baileys';
import { unwrap } from '../../simulator/devices/content.ts';
import { type DeviceEvents, VirtualDevice } from '../../simulator/devices/device.ts';
import { DeviceKeys } from '../../simulator/devices/device-keys.ts';
import { createDevices, type Devices } from '../../simulator/devices/index.ts';
import { eventually } from '../helpers/eventually.ts';
import { TinyRelay } from './devices-relay.ts';

let relay: TinyRelay;
let devices: Devices;
const uploads: Uint8Array[] = [];

beforeEach(() => {
  relay = new TinyRelay();
  devices = createDevices(relay, {
    report: () => undefined,
    mediaUpload: async (encrypted) => {
      uploads.push(encrypted);
      return { directPath: '/x', url: 'https://localhost/x' };
    },
    mediaDownload: async () => new Uint8Array(),
  });
});

afterEach(() => devices.close());

const { Type } = proto.Message.ProtocolMessage;

/** A companion that collects what its phone tells it. */
function attachCompanion(pn: string) {
  const keys = new DeviceKeys();
  const address = relay.addDevice(pn, keys.publish(5), new Uint8Array());
  const told: proto.IMessage[] = [];
  const events: DeviceEvents = {
    isKnown: () => false,
    onMessage: async (_device, received) => {
      if (received.outcome === 'decrypted' && received.content && received.envelope.isPeer) told.push(received.content);
    },
    onReceipt: () => undefined,
    onAck: () => undefined,
    onSignal: () => undefined,
    onNotification: () => undefined,
    onCompanionOnline: () => undefined,
    onUnreachable: (_device, failed) => {
      throw failed.error;
    },
    onError: (_device, error) => {
      throw error;
    },
  };
  const device = new VirtualDevice({ relay, address, keys, events, report: () => undefined });
  device.goOnline();
  return { device, told, address };
}

const protocolOf = (message: proto.IMessage | undefined) => unwrap(message ?? {}).protocolMessage;

test('a new companion gets app-state keys, then its history in three parts, once', async () => {
  const phone = devices.createPhone({ pn: '15550000001' });
  await phone.addHistory({
    with: '15550000002',
    name: 'Bob',
    messages: [{ text: 'old' }, { text: 'new', fromMe: true }],
  });
  const { told, address } = attachCompanion(phone.pn);
  phone.adopt(address.device);
  phone.device().companionOnline(address);
  phone.device().companionOnline(address);
  await eventually(() => expect(told).toHaveLength(4));
  expect(protocolOf(told[0])?.appStateSyncKeyShare?.keys).toHaveLength(1);
  const parts: Awaited<ReturnType<typeof downloadAndProcessHistorySyncNotification>>[] = [];
  for (const message of told.slice(1)) {
    const notification = protocolOf(message)?.historySyncNotification;
    parts.push(await downloadAndProcessHistorySyncNotification(notification ?? {}, {}));
  }
  expect(parts.map(({ syncType }) => syncType)).toEqual([0, 4, 3]);
  expect(parts.flatMap(({ messages }) => messages.map(({ message }) => message?.conversation))).toEqual(['new', 'old']);
  expect(parts[1]?.contacts).toMatchObject([{ notify: 'Bob' }]);
  expect(uploads).toHaveLength(3);
});

test('answers requests for keys, for messages that could not be read, and for older history', async () => {
  const phone = devices.createPhone({ pn: '15550000001' });
  const bob = devices.createContact({ pn: '15550000002' });
  const { device, told, address } = attachCompanion(phone.pn);
  phone.adopt(address.device, { synced: true });
  const messages = ['1', '2', '3'].map((text) => ({ text, id: `ID${text}` }));
  await phone.addHistory({ with: bob.pn, messages });
  const live = await bob.sendText(phone.jid, 'live');
  await phone.waitForMessage(({ id }) => id === live.id);

  await device.sender.sendPeer(phone.jid, {
    protocolMessage: {
      type: Type.APP_STATE_SYNC_KEY_REQUEST,
      appStateSyncKeyRequest: { keyIds: [{ keyId: Buffer.from([9]) }] },
    },
  });
  await eventually(() => expect(told).toHaveLength(1));
  expect(protocolOf(told[0])?.appStateSyncKeyShare?.keys).toHaveLength(1);

  const ask = (request: proto.Message.IPeerDataOperationRequestMessage) =>
    device.sender.sendPeer(phone.jid, {
      protocolMessage: { type: Type.PEER_DATA_OPERATION_REQUEST_MESSAGE, peerDataOperationRequestMessage: request },
    });
  const kinds = proto.Message.PeerDataOperationRequestType;
  await ask({
    peerDataOperationRequestType: kinds.PLACEHOLDER_MESSAGE_RESEND,
    placeholderMessageResendRequest: [{ messageKey: { remoteJid: bob.jid, id: live.id } }],
  });
  await eventually(() => expect(told).toHaveLength(2));
  const [result] = protocolOf(told[1])?.peerDataOperationRequestResponseMessage?.peerDataOperationResult ?? [];
  const bytes = result?.placeholderMessageResendResponse?.webMessageInfoBytes ?? new Uint8Array();
  expect(proto.WebMessageInfo.decode(bytes).message?.conversation).toBe('live');

  await ask({
    peerDataOperationRequestType: kinds.HISTORY_SYNC_ON_DEMAND,
    historySyncOnDemandRequest: { chatJid: bob.jid, oldestMsgId: 'ID3', onDemandMsgCount: 1 },
  });
  await eventually(() => expect(told).toHaveLength(3));
  const history = await downloadAndProcessHistorySyncNotification(
    protocolOf(told[2])?.historySyncNotification ?? {},
    {},
  );
  expect(history.messages.map(({ key }) => key?.id)).toEqual(['ID2']);
  expect(phone.problems).toEqual([]);
});

test('a phone that nobody asked to link says so after its time', async () => {
  const phone = devices.createPhone({ pn: '15550000001' });
  const attempt = phone.enterPairingCode('ABCD-EFGH', { timeoutMs: 50 });
  await expect(attempt).rejects.toThrow('pairing code: nothing fitting within 50 ms');
});
