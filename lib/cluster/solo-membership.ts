import type { Clock } from '../clock.ts';
import { isSameOwner, type Member, type Membership, type MembershipHooks, type Owner } from './membership.port.ts';

export interface SoloMembershipOptions {
  owner: Owner;
  capacity: number;
  clock: Clock;
}

/**
 * The membership of a process that is alone by proof: it holds the seat on its data directory, so every other
 * incarnation that the store knows of is gone. There is nothing to wait for and nobody to tell.
 */
export function createSoloMembership({ owner, capacity, clock }: SoloMembershipOptions): Membership {
  let hooks: MembershipHooks | null = null;

  function self(): Member[] {
    return hooks ? [{ nodeId: owner.nodeId, incarnation: owner.incarnation, capacity, ...hooks.status() }] : [];
  }

  return {
    async start(given) {
      hooks = given;
      given.onConfirmed(clock.monotonic());
    },
    async stop() {
      hooks = null;
    },
    beat: () => hooks?.onChange(),
    members: self,
    elders: self,
    isOrphaned: () => false,
    stableForMs: () => Number.POSITIVE_INFINITY,
    silentForMs: (other) => (isSameOwner(other, owner) ? 0 : Number.POSITIVE_INFINITY),
    async look() {},
  };
}
