import type { BinaryNode } from '@whiskeysockets/baileys';
import type { FaultEngine } from '../faults/engine.ts';
import type { DeviceAddress } from '../ports.ts';
import type { Witness } from '../witness/witness.ts';
import type { AppStateStore } from './app-state-store.ts';
import type { Directory } from './directory.ts';
import type { GroupRegistry } from './group-registry.ts';
import type { MediaStore } from './media-store.ts';
import type { PostOffice } from './post-office.ts';
import type { PresenceBoard } from './presence-board.ts';
import type { SeededRandom } from './random.ts';

/** What the parts of the server share. */
export interface World {
  readonly random: SeededRandom;
  readonly directory: Directory;
  readonly post: PostOffice;
  readonly groups: GroupRegistry;
  readonly presence: PresenceBoard;
  readonly appState: AppStateStore;
  readonly media: MediaStore;
  /** profile pictures, by phone number or group JID */
  readonly pictures: Map<string, { id: string; directPath: string }>;
  readonly witness: Witness;
  readonly faults: FaultEngine;
  /** an id for a stanza of the server */
  nextId(): string;
  /** `host:port` of the media host */
  mediaHost(): string;
  /** Puts an app-state snapshot on the media host; returns the encoded ExternalBlobReference. */
  sealSnapshot(snapshot: Uint8Array): Buffer;
  /** Completes device changes: the own devices and all who asked for the list are told. */
  announceDevice(address: DeviceAddress, change: 'add' | 'remove'): void;
  /** Passes the phone's half of a pairing code's key agreement on to the waiting socket. */
  primaryHello(phone: DeviceAddress, registration: BinaryNode): void;
  /** Ends the device's socket, if it has one, as the server does for a removed device. */
  expel(address: DeviceAddress): void;
}
