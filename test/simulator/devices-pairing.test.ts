import { randomBytes } from 'node:crypto';
import {
  aesDecryptCTR,
  aesEncryptCTR,
  aesEncryptGCM,
  type BinaryNode,
  buildPairingQRData,
  Curve,
  configureSuccessfulPairing,
  derivePairingCodeKey,
  encodeSignedDeviceIdentity,
  hkdf,
  initAuthCreds,
} from '@whiskeysockets/baileys';
import { isGenuineDevice } from '../../simulator/devices/adv.ts';
import { createDevices, type Devices } from '../../simulator/devices/index.ts';
import { normalizeCode, PairingAttempt, WrongPairingCodeError } from '../../simulator/devices/pairing-code.ts';
import { TinyRelay } from './devices-relay.ts';

let relay: TinyRelay;
let devices: Devices;

beforeEach(() => {
  relay = new TinyRelay();
  devices = createDevices(relay, {
    report: () => undefined,
    mediaUpload: async () => ({ directPath: '/x', url: 'https://localhost/x' }),
    mediaDownload: async () => new Uint8Array(),
  });
});

afterEach(() => devices.close());

const pairSuccess = (deviceIdentity: Uint8Array): BinaryNode => ({
  tag: 'iq',
  attrs: { id: '1' },
  content: [
    {
      tag: 'pair-success',
      attrs: {},
      content: [
        { tag: 'device-identity', attrs: {}, content: deviceIdentity },
        { tag: 'device', attrs: { jid: '15550000001:1@s.whatsapp.net', lid: '915550000001:1@lid' } },
      ],
    },
  ],
});

test.each(['plain', 'link'])(
  'a real client accepts what the phone signs after scanning its %s QR code',
  async (form) => {
    const creds = initAuthCreds();
    const phone = devices.createPhone({ pn: '15550000001' });
    const [noise, identity] = [creds.noiseKey, creds.signedIdentityKey].map((key) =>
      Buffer.from(key.public).toString('base64'),
    );
    const parts = ['ref-1', noise, identity, creds.advSecretKey] as [string, string, string, string];
    const link = buildPairingQRData(...parts, ['Mac OS', 'Chrome', '14']);
    await phone.scanQr(form === 'link' ? link : parts.join(','));
    const [request] = relay.linked;
    expect(request).toMatchObject({ ref: 'ref-1', keyIndex: 1, pn: '15550000001' });
    const { creds: paired } = configureSuccessfulPairing(
      pairSuccess(request?.deviceIdentity ?? new Uint8Array()),
      creds,
    );
    expect(paired.account).toBeDefined();
    // Baileys leaves the account's key out of its answer to the server, so the whole identity is checked
    const whole = encodeSignedDeviceIdentity(paired.account ?? {}, true);
    expect(isGenuineDevice(whole, creds.signedIdentityKey.public)).toBe(true);
    expect(isGenuineDevice(whole, Curve.generateKeyPair().public)).toBe(false);
  },
);

test('refuses what is no QR code', async () => {
  const phone = devices.createPhone({ pn: '15550000001' });
  await expect(phone.scanQr('https://example.com')).rejects.toThrow('not a WhatsApp QR code');
  await expect(phone.scanQr('ref,AA==,AA==,AA==')).rejects.toThrow('32 bytes');
});

/** The companion's side, from the parts that Baileys uses in requestPairingCode and its notification handler. */
async function companionFinish(
  code: string,
  phoneIdentity: Uint8Array,
  hello: Buffer,
  companion = Curve.generateKeyPair(),
  identity = Curve.generateKeyPair(),
) {
  const key = await derivePairingCodeKey(code, hello.subarray(0, 32));
  const phoneEphemeral = aesDecryptCTR(hello.subarray(48, 80), key, hello.subarray(32, 48));
  const shared = Curve.sharedKey(companion.private, phoneEphemeral);
  const [random, salt, iv] = [randomBytes(32), randomBytes(32), randomBytes(12)];
  const bundleKey = hkdf(shared, 32, { salt, info: 'link_code_pairing_key_bundle_encryption_key' });
  const plain = Buffer.concat([identity.public, phoneIdentity, random]);
  const bundle = Buffer.concat([salt, iv, aesEncryptGCM(plain, Buffer.from(bundleKey), iv, Buffer.alloc(0))]);
  const secret = Buffer.concat([shared, Curve.sharedKey(identity.private, phoneIdentity), random]);
  return {
    bundle,
    identity: Buffer.from(identity.public),
    advSecret: Buffer.from(hkdf(secret, 32, { info: 'adv_secret' })),
  };
}

async function companionHello(code: string, publicKey: Uint8Array): Promise<Buffer> {
  const [salt, iv] = [randomBytes(32), randomBytes(16)];
  const key = await derivePairingCodeKey(code, salt);
  return Buffer.concat([salt, iv, aesEncryptCTR(publicKey, key, iv)]);
}

test.each(['ABCD-2345', 'abcd2345'])('a pairing code typed as %s agrees with a real client', async (typed) => {
  const phone = Curve.generateKeyPair();
  const companion = Curve.generateKeyPair();
  const attempt = await PairingAttempt.start(normalizeCode(typed), await companionHello('ABCD2345', companion.public));
  const finish = await companionFinish('ABCD2345', phone.public, await attempt.hello(), companion);
  expect(attempt.finish(phone, finish.identity, finish.bundle).equals(finish.advSecret)).toBe(true);
});

test('another code is told apart', async () => {
  const phone = Curve.generateKeyPair();
  const companion = Curve.generateKeyPair();
  const attempt = await PairingAttempt.start('ABCD2346', await companionHello('ABCD2345', companion.public));
  const finish = await companionFinish('ABCD2345', phone.public, await attempt.hello(), companion);
  expect(() => attempt.finish(phone, finish.identity, finish.bundle)).toThrow(WrongPairingCodeError);
  expect(() => normalizeCode('ABC')).toThrow('eight');
});
