export const CASTELLAN_ROLES = ['gateway', 'services', 'session-node'] as const;
export type CastellanRole = (typeof CASTELLAN_ROLES)[number];
export type Role = CastellanRole | 'nats' | 'redis' | 'mongo' | 'simulator';
export type MemberState = 'running' | 'paused' | 'stopped';

/** How a process is started and reached; what a member adds is the order in which that may happen. */
export interface Engine {
  /** null = no process lives */
  pid(): number | null;
  /** Resolves when it serves. @throws with what it printed */
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal; resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  output(): string;
}

/** One process of a cluster, under an identity that outlives it. */
export interface Member {
  readonly role: Role;
  /** unique in the cluster; for what is not Castellan it is the role */
  readonly nodeId: string;
  /** null while it is stopped */
  readonly pid: number | null;
  readonly state: MemberState;
  /** the end of what its processes printed */
  output(): string;
  /** SIGTERM; resolves when the process is gone. @throws when it is paused, stopped, or still there after `timeoutMs` */
  stop(timeoutMs?: number): Promise<void>;
  /** SIGKILL, paused or not; resolves when the process is gone. @throws when it is stopped */
  kill(): Promise<void>;
  /** SIGSTOP: its sockets stay open, nothing answers. @throws unless it is running */
  pause(): void;
  /** SIGCONT. @throws unless it is paused */
  resume(): void;
  /** A new process under the same identity and on the same data; resolves when it serves. @throws unless it is stopped */
  start(): Promise<void>;
  /** Ends what runs (SIGTERM; SIGKILL when it is paused) and starts it anew. */
  restart(): Promise<void>;
}

/** above every grace period of the processes themselves */
const STOP_TIMEOUT_MS = 120_000;

export function createMember(role: Role, nodeId: string, engine: Engine): Member {
  let paused = false;
  const state = (): MemberState => (engine.pid() === null ? 'stopped' : paused ? 'paused' : 'running');

  function expect(wanted: readonly MemberState[]): void {
    const now = state();
    if (!wanted.includes(now)) throw new Error(`${nodeId} is ${now}`);
  }

  const member: Member = {
    role,
    nodeId,
    get pid() {
      return engine.pid();
    },
    get state() {
      return state();
    },
    output: () => engine.output(),
    async stop(timeoutMs = STOP_TIMEOUT_MS) {
      expect(['running']);
      await within(timeoutMs, engine.end('SIGTERM'), `${nodeId} did not end within ${timeoutMs} ms of SIGTERM`);
    },
    async kill() {
      expect(['running', 'paused']);
      await engine.end('SIGKILL');
      paused = false;
    },
    pause() {
      expect(['running']);
      engine.signal('SIGSTOP');
      paused = true;
    },
    resume() {
      expect(['paused']);
      engine.signal('SIGCONT');
      paused = false;
    },
    async start() {
      expect(['stopped']);
      paused = false;
      await engine.start();
    },
    async restart() {
      if (state() === 'running') await member.stop();
      if (state() === 'paused') await member.kill();
      await member.start();
    },
  };
  return member;
}

async function within(timeoutMs: number, done: Promise<void>, complaint: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), timeoutMs);
  });
  try {
    await Promise.race([done, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
