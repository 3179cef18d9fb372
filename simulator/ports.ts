import type { BinaryNode } from '@whiskeysockets/baileys';

/**
 * Where the two halves of the simulator meet: `server/` (sockets, directory, relay) and `devices/` (phones and
 * contacts with real Signal keys). A virtual device is a device whose transport is a function call instead of a Noise
 * socket; the server treats both alike.
 */

/** One device of one account. Device 0 is the phone (primary). */
export interface DeviceAddress {
  /** digits of the phone number, `15551234567` */
  pn: string;
  /** digits of the LID, without `@lid` */
  lid: string;
  device: number;
}

/** What receives the stanzas that the server routes to a device. */
export interface DeviceEndpoint {
  readonly address: DeviceAddress;
  deliver(stanza: BinaryNode): void;
  /**
   * Asked of a phone (device 0) only: a companion of its account finished a login, its `ib offline` marker is out. A
   * phone answers the first one with keys and history. (Baileys waits 20 s for a history sync that it got before the
   * marker, so being linked is not enough.)
   */
  companionOnline?(companion: DeviceAddress): void;
}

/*
 * Pairing by code, as a phone sees it (all nodes are `link_code_companion_reg`, children as raw bytes):
 *  1. The server delivers `<notification type="link_code_companion_reg" from="@s.whatsapp.net" id t>` with stage
 *     `companion_hello` to device 0 of the account: `link_code_pairing_wrapped_companion_ephemeral_pub`,
 *     `companion_server_auth_key_pub`, `link_code_pairing_ref`.
 *  2. The phone asks `<iq type="set" xmlns="md">` with stage `primary_hello`: `link_code_pairing_wrapped_primary_ephemeral_pub`,
 *     `primary_identity_pub`, `link_code_pairing_ref`. The server forwards these three to the waiting socket as a
 *     notification. The phone may say hello again (the person mistyped the code).
 *  3. The socket's `companion_finish` comes back to the phone as a notification with stage `companion_finish`:
 *     `link_code_pairing_wrapped_key_bundle`, `companion_identity_public`, `link_code_pairing_ref`.
 *  4. The phone calls `link` with the pairing ref.
 */

/** The keys that a device publishes. Keys are raw 32-byte public keys (no 0x05 prefix); the signature is 64 bytes. */
export interface PublishedKeys {
  registrationId: number;
  identityKey: Uint8Array;
  signedPreKey: { keyId: number; publicKey: Uint8Array; signature: Uint8Array };
  preKeys: { keyId: number; publicKey: Uint8Array }[];
}

export interface AccountSeed {
  pn: string;
  /** made from the seed when left out */
  lid?: string;
  name?: string;
}

/** What the phone hands over after it scanned a QR code (or completed a pairing code). */
export interface LinkRequest {
  /** the ref of the QR code, or the ref of the pairing-code attempt */
  ref: string;
  /** encoded ADVSignedDeviceIdentityHMAC, as the server forwards it in `pair-success` */
  deviceIdentity: Uint8Array;
  keyIndex: number;
  pn: string;
}

/** The server as a virtual device sees it. */
export interface Relay {
  /** Registers the account, if it is new, and its primary device with its published keys. */
  addAccount(account: AccountSeed, keys: PublishedKeys): DeviceAddress;
  /** Registers a further (already linked) device of an account; `signedDeviceIdentity` is the encoded ADVSignedDeviceIdentity. */
  addDevice(pn: string, keys: PublishedKeys, signedDeviceIdentity: Uint8Array, device?: number): DeviceAddress;
  /** Binds an endpoint; offline stanzas queued for it are delivered now. */
  attach(endpoint: DeviceEndpoint): void;
  /** From now on stanzas for this device are queued as offline. */
  detach(address: DeviceAddress): void;
  /** A stanza that the device sends (message, receipt, presence, chatstate, ack). Routed, acked and witnessed like a socket's. */
  submit(from: DeviceAddress, stanza: BinaryNode): void;
  /** An iq that the device asks; resolves with the server's answer (type result), rejects with an `IqError` for type error. */
  query(from: DeviceAddress, iq: BinaryNode): Promise<BinaryNode>;
  /** Completes a pairing: the server sends `pair-success` to the waiting socket. Resolves with the new device once it signed. */
  link(request: LinkRequest): Promise<DeviceAddress>;
}

/** What a virtual device tells the witness about what it could read. */
export interface DecryptReport {
  device: DeviceAddress;
  from: string;
  stanzaId: string;
  outcome: 'decrypted' | 'failed' | 'retry-sent' | 'duplicate';
  /** encrypted type: msg, pkmsg, skmsg */
  encType: string;
  text?: string;
  error?: string;
}
