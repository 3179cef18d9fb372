/** What can be made to go wrong, by the moment at which it strikes. */

/** On the way in: before a WebSocket exists. */
export type UpgradeFault =
  /** TCP reset instead of an answer */
  | { type: 'refuse' }
  /** an HTTP answer instead of the upgrade */
  | { type: 'http-status'; status: number }
  /** accepts the WebSocket but never says a word */
  | { type: 'hang' };

/** Instead of `<success>`. Reasons of the real server: 401, 402 (with `expire`), 403, 405, 406, 409, 411, 500, 503. */
export interface LoginFault {
  type: 'login-failure';
  reason: number;
  /** further attributes of the failure stanza, as `expire` (seconds), `code`, `location` */
  attributes?: Record<string, string>;
}

/** To an open socket. */
export type SocketFault =
  | { type: 'stream-error'; code: number; reason?: string }
  /** another login took over: `<conflict type="replaced"/>` */
  | { type: 'conflict' }
  /** TCP reset */
  | { type: 'drop' }
  /** reads and writes stop, the TCP connection stays */
  | { type: 'half-open' };

/** To the answer of a stanza that a device sent. */
export type AnswerFault =
  /** `<ack error>`; the message goes no further */
  | { type: 'nack'; code: number }
  /** the message goes on, its ack does not come */
  | { type: 'lose-ack' }
  | { type: 'slow-ack'; ms: number }
  | { type: 'iq-error'; code: number; text?: string }
  | { type: 'iq-timeout' };

/** To a stanza that is delivered to a device. */
export type DeliveryFault =
  | { type: 'duplicate'; copies?: number }
  /** comes after the one that follows it (or after 1 s) */
  | { type: 'reorder' }
  | { type: 'delay'; ms: number };

/** The flush of what waited never ends: no `<offline/>` marker. */
export interface OfflineFault {
  type: 'endless-offline';
}

export type Fault = UpgradeFault | LoginFault | SocketFault | AnswerFault | DeliveryFault | OfflineFault;

export interface FaultMatch {
  /** digits of the account's phone number */
  pn?: string;
  device?: number;
  /** of the stanza: message, receipt, iq, notification, ... */
  tag?: string;
  xmlns?: string;
  /** the stanza's type attribute */
  type?: string;
  id?: string;
  /** the stanza's recipient, or its sender for a delivered one */
  peer?: string;
  /** tag of the first child: `count`, `media_conn`, `create`, ... */
  child?: string;
}

export interface FaultRule {
  fault: Fault;
  match?: FaultMatch;
  /**
   * When a socket fault strikes: `now` hits the sockets that are open (default), the others wait for their moment.
   * Faults of other kinds have one natural moment.
   */
  on?: 'now' | 'login' | 'stanza-in' | 'stanza-out';
  /** ms from being set until the rule counts */
  afterMs?: number;
  /** let the first matches pass */
  skip?: number;
  /** how often it strikes; unlimited when left out */
  times?: number;
  /** 0..1, drawn from the seed */
  probability?: number;
}

export interface ArmedRule extends FaultRule {
  id: string;
  matched: number;
  struck: number;
}

const momentOf = {
  refuse: 'upgrade',
  'http-status': 'upgrade',
  hang: 'upgrade',
  'login-failure': 'login',
  'stream-error': 'socket',
  conflict: 'socket',
  drop: 'socket',
  'half-open': 'socket',
  nack: 'answer',
  'lose-ack': 'answer',
  'slow-ack': 'answer',
  'iq-error': 'answer',
  'iq-timeout': 'answer',
  duplicate: 'delivery',
  reorder: 'delivery',
  delay: 'delivery',
  'endless-offline': 'offline',
} as const satisfies Record<Fault['type'], string>;

export type Moment = (typeof momentOf)[Fault['type']];

export const faultTypes = Object.keys(momentOf);

export const momentOfFault = (fault: Fault): Moment => momentOf[fault.type];

export const isUpgradeFault = (fault: Fault): fault is UpgradeFault => momentOfFault(fault) === 'upgrade';
export const isLoginFault = (fault: Fault): fault is LoginFault => momentOfFault(fault) === 'login';
export const isSocketFault = (fault: Fault): fault is SocketFault => momentOfFault(fault) === 'socket';
export const isAnswerFault = (fault: Fault): fault is AnswerFault => momentOfFault(fault) === 'answer';
export const isDeliveryFault = (fault: Fault): fault is DeliveryFault => momentOfFault(fault) === 'delivery';
export const isOfflineFault = (fault: Fault): fault is OfflineFault => momentOfFault(fault) === 'offline';
