import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import type { SocketFault } from '../faults/fault.ts';
import type { DeviceAddress } from '../ports.ts';
import type { ClientConnection, ConnectionObserver } from './client-connection.ts';
import { deviceKey, jidOf } from './directory.ts';
import type { Exchange } from './exchange.ts';
import { IqError } from './iq-error.ts';
import type { MailTransport } from './mailbox.ts';
import type { ClientFinish } from './noise-responder.ts';
import type { Pairings } from './pairings.ts';
import { keysOfRegistration } from './published-keys.ts';
import { child, deviceRemovedError, node, replacedError, serverStamp, streamError, unixSeconds } from './stanzas.ts';
import type { World } from './world.ts';

interface Session {
  connection: ClientConnection;
  address: DeviceAddress;
  transport: MailTransport;
}

export interface SessionEvents {
  /** the device is in and all that waited is out */
  online(address: DeviceAddress): void;
  isVirtual(address: DeviceAddress): boolean;
}

/** A removed device has its answer first, the stream error a moment later. */
const expelDelayMs = 100;
/** How long a replaced socket may still say that it lives. */
const replaceGraceMs = 250;

/** Sockets that became devices: login, conflict, stanzas, goodbye. */
export class DeviceSessions implements ConnectionObserver {
  private readonly byConnection = new Map<number, Session>();
  private readonly byDevice = new Map<string, Session>();
  private readonly connections = new Set<ClientConnection>();
  private readonly world: World;
  private readonly exchange: Exchange;
  private readonly pairings: Pairings;
  private readonly events: SessionEvents;

  constructor(world: World, exchange: Exchange, pairings: Pairings, events: SessionEvents) {
    this.world = world;
    this.exchange = exchange;
    this.pairings = pairings;
    this.events = events;
  }

  opened(connection: ClientConnection): void {
    this.connections.add(connection);
    this.world.witness.sockets.opened(connection.id, connection.remote);
  }

  onHello(connection: ClientConnection, { clientStaticKey, payload }: ClientFinish): void {
    const hello = proto.ClientPayload.decode(payload);
    if (hello.devicePairingData) {
      this.register(connection, hello.devicePairingData, clientStaticKey);
      return;
    }
    const pn = String(hello.username ?? '');
    const address = this.world.directory.account(pn)?.devices.get(hello.device ?? 0)?.address;
    const refusal = this.refusal(address, clientStaticKey, connection);
    if (!address || refusal) {
      connection.end('login refused', refusal ?? failure(401));
      return;
    }
    this.logIn(connection, address, hello.passive === true);
  }

  onStanza(connection: ClientConnection, stanza: BinaryNode): void {
    const session = this.byConnection.get(connection.id);
    const { witness, faults } = this.world;
    witness.sockets.frameIn(connection.id);
    witness.stanza('in', stanza, { socket: connection.id, ...(session && { device: session.address }) });
    if (!session) {
      this.pairings.onStanza(connection, stanza);
      return;
    }
    if (this.byDevice.get(deviceKey(session.address)) !== session) return; // replaced: seen, not heard
    const fault = faults.atSocket('stanza-in', { device: session.address, stanza });
    if (fault) applySocketFault(connection, fault);
    if (connection.isHeard) this.handle(session, stanza);
  }

  onSent(connection: ClientConnection, stanza: BinaryNode): void {
    const session = this.byConnection.get(connection.id);
    const { witness, faults } = this.world;
    witness.sockets.frameOut(connection.id);
    witness.stanza('out', stanza, { socket: connection.id, ...(session && { device: session.address }) });
    if (!session) return;
    const fault = faults.atSocket('stanza-out', { device: session.address, stanza });
    if (fault) setImmediate(() => applySocketFault(connection, fault)); // the stanza itself still goes out
  }

  onProbeAnswered(connection: ClientConnection): void {
    this.world.witness.sockets.probeAnswered(connection.id);
  }

  onClosed(connection: ClientConnection, why: string): void {
    this.connections.delete(connection);
    this.world.witness.sockets.closed(connection.id, why);
    this.pairings.closed(connection);
    const session = this.byConnection.get(connection.id);
    if (!session) return;
    this.byConnection.delete(connection.id);
    if (this.byDevice.get(deviceKey(session.address)) === session) this.leave(session);
  }

  /** Ends the socket of a removed device. */
  expel(address: DeviceAddress): void {
    const session = this.byDevice.get(deviceKey(address));
    if (!session) {
      this.world.post.remove(address);
      return;
    }
    this.leave(session);
    this.world.post.remove(address);
    setTimeout(() => session.connection.end('device removed', deviceRemovedError()), expelDelayMs).unref();
  }

  /** Strikes the open sockets that match; returns how many. */
  strike(fault: SocketFault, isMeant: (address: DeviceAddress | undefined) => boolean): number {
    const meant = [...this.connections].filter((connection) => isMeant(this.byConnection.get(connection.id)?.address));
    for (const connection of meant) applySocketFault(connection, fault);
    return meant.length;
  }

  closeAll(): void {
    for (const connection of this.connections) connection.abort('the simulator stopped');
  }

  private register(
    connection: ClientConnection,
    data: proto.ClientPayload.IDevicePairingRegistrationData,
    noiseKey: Buffer,
  ): void {
    try {
      this.pairings.begin(connection, keysOfRegistration(data), noiseKey);
    } catch (error) {
      if (!(error instanceof IqError)) throw error;
      connection.end(`registration refused: ${error.message}`, failure(error.code));
    }
  }

  private refusal(address: DeviceAddress | undefined, noiseKey: Buffer, { remote }: ClientConnection) {
    if (!address || this.events.isVirtual(address)) return failure(401);
    const fault = this.world.faults.atLogin(address);
    if (fault)
      return failure(fault.reason, { location: remote.includes('127.0.0.1') ? 'local' : 'sim', ...fault.attributes });
    const device = this.world.directory.device(address);
    if (!device) return failure(401);
    device.noiseKey ??= noiseKey; // devices that were paired in bulk show theirs first now
    return device.noiseKey.equals(noiseKey) ? undefined : failure(401);
  }

  private logIn(connection: ClientConnection, address: DeviceAddress, passive: boolean): void {
    const key = deviceKey(address);
    const older = this.byDevice.get(key);
    const transport: MailTransport = { lossless: false, send: (stanza) => connection.send(stanza) };
    const session: Session = { connection, address, transport };
    this.byDevice.set(key, session);
    this.byConnection.set(connection.id, session);
    this.world.witness.sockets.loggedIn(connection.id, address);
    if (older) replace(older.connection);
    this.world.post.mailbox(address).connect(transport);
    connection.send(this.success(address));
    const routing = this.world.random.bytes(`edge ${key}`, 6);
    connection.send(ib(node('edge_routing', {}, [node('routing_info', {}, routing)])));
    connection.send(ib(node('dirty', { type: 'account_sync', timestamp: unixSeconds() })));
    const fault = this.world.faults.atSocket('login', { device: address });
    if (fault) {
      applySocketFault(connection, fault);
      return;
    }
    if (!passive) this.activate(session);
  }

  private success(address: DeviceAddress): BinaryNode {
    const name = this.world.directory.account(address.pn)?.pushName;
    return node('success', {
      t: unixSeconds(),
      props: '27',
      abprops: '96',
      group_abprops: '0',
      location: 'local',
      lid: jidOf(address, 'lid'),
      ...(name && { display_name: name }),
    });
  }

  private activate({ address }: Session): void {
    const endless = this.world.faults.atOffline(address);
    this.world.post.mailbox(address).flush(() => this.events.online(address), !endless);
  }

  private handle(session: Session, stanza: BinaryNode): void {
    const { address, connection } = session;
    const reply = (answer: BinaryNode): void => connection.send(answer);
    if (stanza.tag === 'ib') {
      if (child(stanza, 'offline_batch')) this.world.post.mailbox(address).batchAsked();
    } else if (stanza.tag !== 'iq') {
      this.exchange.submit(address, stanza, reply);
    } else if (stanza.attrs.type !== 'result' && stanza.attrs.type !== 'error') {
      this.exchange.query(address, stanza, reply);
      if (stanza.attrs.xmlns === 'passive' && child(stanza, 'active')) this.activate(session);
    }
  }

  private leave(session: Session): void {
    const { address, transport } = session;
    this.byDevice.delete(deviceKey(address));
    this.world.post.mailbox(address).disconnect(transport);
    const account = this.world.directory.account(address.pn);
    if (account) this.world.presence.left(account, address);
  }
}

const ib = (content: BinaryNode): BinaryNode => node('ib', { from: serverStamp }, [content]);

const failure = (reason: number, attrs: Record<string, string> = {}): BinaryNode =>
  node('failure', { reason: String(reason), location: 'local', ...attrs });

/** The newer login wins. The older socket is asked whether it still lives, for the witness, and told. */
function replace(older: ClientConnection): void {
  older.probe();
  older.send(replacedError());
  setTimeout(() => older.end('replaced by a newer login'), replaceGraceMs).unref();
}

function applySocketFault(connection: ClientConnection, fault: SocketFault): void {
  switch (fault.type) {
    case 'stream-error': {
      const reason = fault.reason ? [node(fault.reason)] : [];
      connection.end(`fault: stream error ${fault.code}`, streamError(fault.code, ...reason));
      return;
    }
    case 'conflict':
      connection.end('fault: conflict', replacedError());
      return;
    case 'drop':
      connection.abort('fault: drop');
      return;
    case 'half-open':
      connection.freeze();
      return;
  }
}
