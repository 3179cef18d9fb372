import { randomBytes } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import { createControlServer } from './control/control-server.ts';
import { createDevices, type Devices } from './devices/index.ts';
import type { FaultEngine } from './faults/engine.ts';
import type { JidMode } from './server/directory.ts';
import { createListener } from './server/listener.ts';
import { createMediaHost } from './server/media-host.ts';
import { createNoiseIdentity } from './server/noise-certificate.ts';
import { SeededRandom } from './server/random.ts';
import { createTlsIdentity, type TlsIdentity } from './server/self-signed-certificate.ts';
import { SimulatedServer } from './server/simulated-server.ts';
import type { Witness } from './witness/witness.ts';

export type * from './devices/index.ts';

/** A local WhatsApp. Every option may be left out. */
export interface SimulatorOptions {
  /** where all three servers listen; 127.0.0.1 */
  host?: string;
  /** of the WebSocket server that clients log in to; 0 = a free one, as for the other two */
  port?: number;
  controlPort?: number;
  mediaPort?: number;
  /** the host part of the addresses that clients are told; `localhost` for the media host, else `host` */
  publicHost?: string;
  /** makes root key, LIDs, group JIDs and fault draws repeatable; random when left out */
  seed?: string;
  /** how new groups address their members; `lid` */
  groupAddressing?: JidMode;
  /** how many of the latest stanzas the witness keeps; 20,000 */
  witnessStanzas?: number;
  /**
   * With more app-state patches than this, a new companion gets a snapshot from the media host instead of the patches.
   * Never when left out: Baileys looks for snapshots on WhatsApp's own media host only.
   */
  appStateSnapshotAfter?: number;
  /** of the media host; a new self-signed one when left out */
  tls?: TlsIdentity;
}

export interface Simulator {
  /** for `waWebSocketUrl` */
  readonly url: string;
  readonly controlUrl: string;
  /** `host:port` of the HTTPS media host */
  readonly mediaHost: string;
  /** PEM, for `NODE_EXTRA_CA_CERTS` */
  readonly mediaCertificate: string;
  /** PEM, of the certificate's key */
  readonly mediaKey: string;
  /** hex, for `WA_CERT_DETAILS.PUBLIC_KEY` */
  readonly rootPublicKey: string;
  readonly seed: string;
  /** the relay itself: accounts, devices, groups, queues */
  readonly server: SimulatedServer;
  /** phones and contacts */
  readonly devices: Devices;
  readonly witness: Witness;
  readonly faults: FaultEngine;
  close(): Promise<void>;
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', seed = randomBytes(8).toString('hex') } = options;
  const random = new SeededRandom(seed);
  const identity = createNoiseIdentity(random);
  const tls = options.tls ?? createTlsIdentity([host, options.publicHost ?? host]);
  const addresses = { url: '', controlUrl: '', mediaHost: '' };
  const server = new SimulatedServer({
    random,
    mediaHost: () => addresses.mediaHost,
    groupMode: options.groupAddressing ?? 'lid',
    witnessStanzas: options.witnessStanzas ?? 20_000,
    snapshotAfter: options.appStateSnapshotAfter ?? Number.POSITIVE_INFINITY,
  });
  const { media, witness, faults } = server.world;
  const devices = populate(server, seed);
  const clients = createListener(server, identity);
  const mediaServer = createMediaHost(media, tls, () => addresses.mediaHost);
  const rootPublicKey = identity.rootPublicKey.toString('hex');
  const parts = { server, devices, witness, faults, seed, rootPublicKey };
  const keys = { mediaCertificate: tls.certificate, mediaKey: tls.key };
  const control = createControlServer(() => ({ ...parts, ...keys, ...addresses }));
  const stop = async (): Promise<void> => {
    devices.close();
    faults.clear();
    server.sessions.closeAll();
    await Promise.all([clients, mediaServer, control].map(close));
  };
  try {
    const { publicHost = host } = options;
    const mediaPort = await listen(mediaServer, options.mediaPort ?? 0, host);
    addresses.mediaHost = `${options.publicHost ?? 'localhost'}:${mediaPort}`;
    addresses.url = `ws://${publicHost}:${await listen(clients, options.port ?? 0, host)}/ws/chat`;
    addresses.controlUrl = `http://${publicHost}:${await listen(control, options.controlPort ?? 0, host)}`;
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...parts, ...keys, ...addresses, close: stop };
}

/** The people, whose files go straight into the media host's store. */
function populate(server: SimulatedServer, seed: string): Devices {
  const { media, mediaHost } = server.world;
  return createDevices(server, {
    seed,
    report: (report) => server.report(report),
    mediaUpload: async (encrypted, mediaType) => {
      const { directPath } = media.put(encrypted, mediaType);
      return { directPath, url: `https://${mediaHost()}${directPath}` };
    },
    mediaDownload: async (directPath) => {
      const bytes = media.get(directPath);
      if (!bytes) throw new Error(`The media host has no ${directPath}`);
      return bytes;
    },
  });
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server & { closeAllConnections?(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}
