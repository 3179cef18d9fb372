import type { BinaryNode } from '@whiskeysockets/baileys';
import { FaultEngine, matches } from '../faults/engine.ts';
import type {
  AccountSeed,
  DecryptReport,
  DeviceAddress,
  DeviceEndpoint,
  LinkRequest,
  PublishedKeys,
  Relay,
} from '../ports.ts';
import { Witness } from '../witness/witness.ts';
import { AppStateStore } from './app-state-store.ts';
import { announceDevice } from './device-announcements.ts';
import { DeviceSessions } from './device-sessions.ts';
import { Directory, deviceKey, type JidMode } from './directory.ts';
import { Exchange } from './exchange.ts';
import { GroupRegistry } from './group-registry.ts';
import { IqError } from './iq-error.ts';
import type { DeliveryPlan } from './mailbox.ts';
import { MediaStore } from './media-store.ts';
import { Pairings } from './pairings.ts';
import { PostOffice } from './post-office.ts';
import { PresenceBoard } from './presence-board.ts';
import type { SeededRandom } from './random.ts';
import { sealBlob } from './sealed-blob.ts';
import { child } from './stanzas.ts';
import type { World } from './world.ts';

export interface SimulatedServerOptions {
  random: SeededRandom;
  mediaHost: () => string;
  groupMode: JidMode;
  witnessStanzas: number;
  snapshotAfter: number;
}

/** The server without its sockets' listener: accounts, devices, routing. Virtual devices use it as their `Relay`. */
export class SimulatedServer implements Relay {
  readonly world: World;
  readonly sessions: DeviceSessions;
  private readonly exchange: Exchange;
  private readonly pairings: Pairings;
  private readonly endpoints = new Map<string, DeviceEndpoint>();
  private stanzaIds = 0;

  constructor(options: SimulatedServerOptions) {
    this.world = this.createWorld(options);
    this.exchange = new Exchange(this.world);
    this.pairings = new Pairings(this.world);
    this.sessions = new DeviceSessions(this.world, this.exchange, this.pairings, {
      online: (address) => this.companionOnline(address),
      isVirtual: (address) => this.endpoints.has(deviceKey(address)),
    });
    this.world.faults.strikeWith((fault, match) =>
      this.sessions.strike(fault, (device) => matches(match, device ? { device } : {})),
    );
  }

  addAccount(seed: AccountSeed, keys: PublishedKeys): DeviceAddress {
    const account = this.world.directory.ensureAccount(seed);
    return this.world.directory.addDevice(account, keys, { device: 0 }).address;
  }

  addDevice(pn: string, keys: PublishedKeys, identity: Uint8Array, device?: number): DeviceAddress {
    const account = this.world.directory.account(pn);
    if (!account) throw new Error(`No account ${pn}`);
    const options = device === undefined ? { identity } : { identity, device };
    const { address } = this.world.directory.addDevice(account, keys, options);
    this.world.announceDevice(address, 'add');
    return address;
  }

  attach(endpoint: DeviceEndpoint): void {
    const { address } = endpoint;
    this.endpoints.set(deviceKey(address), endpoint);
    const send = (stanza: BinaryNode): void => {
      this.world.witness.stanza('out', stanza, { device: address });
      // never inside the sender's call: a device may answer at once
      queueMicrotask(() => endpoint.deliver(stanza));
    };
    this.world.post.mailbox(address).attach({ lossless: true, send });
  }

  detach(address: DeviceAddress): void {
    this.endpoints.delete(deviceKey(address));
    this.world.post.mailbox(address).disconnect();
    const account = this.world.directory.account(address.pn);
    if (account) this.world.presence.left(account, address);
  }

  submit(from: DeviceAddress, stanza: BinaryNode): void {
    this.world.witness.stanza('in', stanza, { device: from });
    this.exchange.submit(from, stanza, (reply) => this.world.post.mailbox(from).answer(reply));
  }

  query(from: DeviceAddress, iq: BinaryNode): Promise<BinaryNode> {
    const asked = iq.attrs.id ? iq : { ...iq, attrs: { ...iq.attrs, id: this.world.nextId() } };
    this.world.witness.stanza('in', asked, { device: from });
    return new Promise((resolve, reject) => {
      this.exchange.query(from, asked, (answer) => {
        this.world.witness.stanza('out', answer, { device: from });
        if (answer.attrs.type !== 'error') return resolve(answer);
        const { code, text } = child(answer, 'error')?.attrs ?? {};
        reject(new IqError(Number(code ?? 500), text ?? 'internal-server-error'));
      });
    });
  }

  link(request: LinkRequest): Promise<DeviceAddress> {
    return this.pairings.link(request);
  }

  report(report: DecryptReport): void {
    this.world.witness.report(report);
  }

  private companionOnline(address: DeviceAddress): void {
    if (address.device === 0) return;
    this.endpoints.get(deviceKey({ ...address, device: 0 }))?.companionOnline?.(address);
  }

  private createWorld({ random, mediaHost, groupMode, witnessStanzas, snapshotAfter }: SimulatedServerOptions): World {
    const faults = new FaultEngine(() => random.next());
    const post = new PostOffice((address, stanza) => shape(faults, address, stanza));
    const media = new MediaStore();
    const world: World = {
      random,
      directory: new Directory(random),
      post,
      groups: new GroupRegistry(random, groupMode),
      presence: new PresenceBoard(post),
      appState: new AppStateStore(snapshotAfter),
      media,
      pictures: new Map(),
      witness: new Witness(witnessStanzas),
      faults,
      primaryHello: (phone, registration) => this.pairings.primaryHello(phone, registration),
      nextId: () => `${Math.floor(Date.now() / 1000)}-${++this.stanzaIds}`,
      mediaHost,
      sealSnapshot: (snapshot) => sealBlob(snapshot, media),
      announceDevice: (address, change) => announceDevice(address, change, world),
      expel: (address) => {
        this.endpoints.delete(deviceKey(address));
        this.sessions.expel(address);
      },
    };
    return world;
  }
}

function shape(faults: FaultEngine, address: DeviceAddress, stanza: BinaryNode): DeliveryPlan | undefined {
  const fault = faults.atDelivery(address, stanza);
  if (!fault) return undefined;
  return {
    copies: fault.type === 'duplicate' ? (fault.copies ?? 2) : 1,
    delayMs: fault.type === 'delay' ? fault.ms : 0,
    swapWithNext: fault.type === 'reorder',
  };
}
