import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

export interface ScheduledTask {
  name: string;
  /** wait between the end of a run and the next one, ms */
  everyMs: number;
  /** Must bear being ended half-way and being run by two processes at once. `signal` asks it to end early. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SchedulerDeps {
  clock: Clock;
  log: Log;
  tasks: readonly ScheduledTask[];
  /** only then does a due task run */
  isLeader: () => boolean;
}

/** Runs each task again and again while this process leads. A task that fails is logged and runs again at its next turn. */
export interface Scheduler {
  start(): void;
  /** Resolves when what was running has ended. */
  stop(): Promise<void>;
}

export function createScheduler({ clock, log, tasks, isLeader }: SchedulerDeps): Scheduler {
  const stopping = new AbortController();
  const cancels = new Map<ScheduledTask, () => void>();
  const running = new Set<Promise<void>>();

  function arm(task: ScheduledTask): void {
    if (stopping.signal.aborted) return;
    const cancel = clock.after(task.everyMs, () => {
      const run: Promise<void> = turn(task).finally(() => {
        running.delete(run);
        arm(task);
      });
      running.add(run);
    });
    cancels.set(task, cancel);
  }

  async function turn(task: ScheduledTask): Promise<void> {
    if (!isLeader()) return;
    try {
      await task.run(stopping.signal);
    } catch (error) {
      log.warn({ task: task.name, err: error }, 'a scheduled task failed; it runs again at its next turn');
    }
  }

  return {
    start() {
      for (const task of tasks) arm(task);
    },
    async stop() {
      stopping.abort();
      for (const cancel of cancels.values()) cancel();
      await Promise.all(running);
    },
  };
}
