import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/index.ts';
import { BaileysClient, type ClientOptions } from './baileys-client.ts';

/** A simulator with the clients of one test file; everything stops with `close`. */
export class SimulatedWorld {
  readonly simulator: Simulator;
  private readonly clients = new Set<BaileysClient>();

  private constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  static async start(options?: SimulatorOptions): Promise<SimulatedWorld> {
    return new SimulatedWorld(await startSimulator(options));
  }

  /** A client of a pre-paired account, not connected yet. */
  prepared(config?: ClientOptions['config']) {
    const [account] = this.simulator.devices.prepare(1);
    if (!account) throw new Error('Nothing was prepared');
    const client = this.client({ auth: account, ...(config && { config }) });
    return { account, client, pn: account.pn, phone: account.phone };
  }

  /** A client of a pre-paired account that is logged in. */
  async online(config?: ClientOptions['config']) {
    const prepared = this.prepared(config);
    await prepared.client.open();
    return prepared;
  }

  client(options?: ClientOptions): BaileysClient {
    const client = new BaileysClient(this.simulator, options);
    this.clients.add(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all([...this.clients].map((client) => client.close()));
    await this.simulator.close();
  }
}
