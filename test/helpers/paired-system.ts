import type { Config } from '../../lib/config.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.ts';
import type { Api } from './api.ts';
import { startTestCastellan, type TestCastellan } from './castellan.ts';
import { eventually } from './eventually.ts';

export interface Line {
  connectionId: string;
  phone: Phone;
}

/** The whole system with a simulated WhatsApp beside it, reached over REST by one user. */
export interface PairedSystem {
  simulator: Simulator;
  castellan: TestCastellan;
  api: Api;
  /** Creates a connection and has a new phone scan its QR code. @returns it open */
  openLine(pn: string): Promise<Line>;
  untilStatus(connectionId: string, status: string): Promise<void>;
  end(): Promise<void>;
}

export async function startPairedSystem(
  settings: Partial<Config> = {},
  options: SimulatorOptions = {},
): Promise<PairedSystem> {
  const simulator = await startSimulator(options);
  const rootPublicKey = Buffer.from(simulator.rootPublicKey, 'hex');
  const whatsapp = { websocketUrl: simulator.url, rootPublicKey, mediaHosts: [] };
  const castellan = await startTestCastellan({ rateLimitPerSecond: 0, whatsapp, ...settings });
  const { api } = await castellan.newUser('ada');

  async function untilStatus(connectionId: string, status: string): Promise<void> {
    await eventually(async () => {
      const { body } = await api.get(`/v1/wa/connection/${connectionId}`);
      if (body.status !== status) throw new Error(`${body.status} (${body.statusReason}), wanted ${status}`);
    });
  }

  async function untilQr(connectionId: string): Promise<string> {
    return eventually(async () => {
      const { body } = await api.get(`/v1/wa/connection/${connectionId}/auth`);
      if (body.authState !== 'ready') throw new Error(`The login is ${body.authState}.`);
      return body.qr;
    });
  }

  return {
    simulator,
    castellan,
    api,
    async openLine(pn) {
      const phone = simulator.devices.createPhone({ pn });
      const { connectionId } = (await api.post('/v1/wa/connection/create', {})).body;
      await phone.scanQr(await untilQr(connectionId));
      await untilStatus(connectionId, 'open');
      return { connectionId, phone };
    },
    untilStatus,
    async end() {
      await castellan.end();
      await simulator.close();
    },
  };
}
