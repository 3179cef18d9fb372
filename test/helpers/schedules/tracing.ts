import type { Locks } from '../../../lib/cluster/locks.port.ts';
import type { Log } from '../../../lib/log.ts';
import type { VirtualProcess } from './virtual-process.ts';
import type { Witness } from './witness.ts';

/** The locks, with every command that reaches them told. */
export function tracedLocks(locks: Locks, say: ((text: string) => void) | null): Locks {
  if (!say) return locks;
  const told = <K extends 'claim' | 'claimInGeneration' | 'release' | 'renew'>(name: K) =>
    [
      name,
      async (...args: unknown[]) => {
        const answer = await (locks[name] as (...given: unknown[]) => Promise<unknown>)(...args);
        if (name !== 'renew' || JSON.stringify(answer).match(/lost|missing/)) {
          say(`    locks: ${name} ${JSON.stringify(args)} -> ${JSON.stringify(answer)}`);
        }
        return answer;
      },
    ] as const;
  return {
    ...locks,
    ...Object.fromEntries([told('claim'), told('claimInGeneration'), told('release'), told('renew')]),
  };
}

/** What a process says; an actor that fails in a way that nobody thought of is a violation of its own. */
export function processLog(process: VirtualProcess, say: (text: string) => void, witness: Witness): Log {
  const write = (level: string, fields: object, message: string): void => {
    if (message === 'the actor failed') witness.violation(`${process.name} ${message}: ${JSON.stringify(fields)}`);
    say(`  ${process.name} ${level} ${message} ${JSON.stringify(fields)}`);
  };
  const make = (bound: object): Log => ({
    debug() {},
    info: (fields, message) => write('info', { ...bound, ...fields }, message),
    warn: (fields, message) => write('warn', { ...bound, ...fields }, message),
    error: (fields, message) => write('error', { ...bound, ...fields }, message),
    child: (fields) => make({ ...bound, ...fields }),
  });
  return make({});
}
