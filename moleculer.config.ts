import { type BrokerOptions, Loggers } from 'moleculer';
import { NatsTransporter } from './lib/cluster/nats-transporter.ts';
import type { Config } from './lib/config.ts';
import { VALIDATOR_OPTIONS } from './lib/contracts/validator.ts';
import type { Log } from './lib/log.ts';

/** Longer than any call of ours waits by itself; callers that know better pass their own `timeout`. */
const REQUEST_TIMEOUT_MS = 90_000;
const SHUTDOWN_TIMEOUT_MS = 10_000;
/** of the bus, whose idea of who lives only ends calls to a node that is gone; ownership has its own (see the design) */
const HEARTBEAT_INTERVAL_S = 2;
const HEARTBEAT_TIMEOUT_S = 6;

/* its types say `any` for the base class */
const BaseLogger = Loggers.Base as unknown as new (options: object) => object;
const LEVELS: Record<string, 'warn' | 'error'> = { fatal: 'error', error: 'error', warn: 'warn' };

/** Moleculer's messages in our log. Its arguments may hold params, so that only texts and error messages are kept. */
class LogAdapter extends BaseLogger {
  readonly #log: Log;

  constructor(log: Log) {
    super({});
    this.#log = log;
  }

  getLogHandler(bindings: { mod?: string }) {
    const log = this.#log.child({ module: bindings.mod ?? 'broker' });
    return (level: string, args: unknown[]) => {
      const text = args.map(printable).filter(Boolean).join(' ');
      /* the starter throws the reason, which is said once */
      const known = text.startsWith('Unable to start all services.');
      log[(!known && LEVELS[level]) || 'debug']({}, text);
    };
  }
}

function printable(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'message' in value ? String(value.message) : '';
  return String(value);
}

/**
 * One bus for both modes: no transporter is the local bus (FACTS of the design: retries drop the node id and repeat
 * sends, so there are none; `tracking` lets running calls finish when a node stops).
 */
export default function brokerOptions(config: Config, log: Log): BrokerOptions {
  return {
    nodeID: config.nodeId,
    logger: new LogAdapter(log) as unknown as BrokerOptions['logger'] & object,
    transporter: config.cluster && new NatsTransporter(config.cluster.natsUrl),
    heartbeatInterval: HEARTBEAT_INTERVAL_S,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_S,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retryPolicy: { enabled: false },
    tracking: { enabled: true, shutdownTimeout: SHUTDOWN_TIMEOUT_MS },
    validator: { type: 'Fastest', options: VALIDATOR_OPTIONS },
    /* `$node.*` tells a caller about every service: nobody here asks */
    internalServices: false,
    /* several brokers may live in one process, which decides about its signals itself */
    skipProcessEventRegistration: true,
  } as BrokerOptions;
}
