/**
 * Who lives in the cluster, as a port: solo when embedded, heartbeats in the store in a cluster. Nothing here compares
 * clocks of two hosts: a node's counter is heard to change or it is not, on the listener's own monotonic clock.
 */

/** One activation's process: what locks, journal entries and session rows name. */
export interface Owner {
  nodeId: string;
  /** new at every start of a process */
  incarnation: string;
  /**
   * an identity that only one living process can have (a pod's UID, a locked directory); null = none. Whoever starts
   * under it proves that every former incarnation of it is gone.
   */
  seat?: string | null;
}

/** What a node says about itself with each heartbeat. */
export interface NodeStatus {
  draining: boolean;
  connections: number;
  open: number;
  /** resident memory of the process */
  memoryBytes: number;
  /** sent and received in the last 60 seconds */
  messagesPerMinute: number;
  /** ms since the epoch */
  startedAt: number;
  /** since when it begins nothing any more, ms; null while it does */
  drainingSince: number | null;
}

export interface Member extends NodeStatus {
  nodeId: string;
  incarnation: string;
  /** weight in the placement */
  capacity: number;
}

export interface MembershipHooks {
  /** asked before each heartbeat */
  status(): NodeStatus;
  /** a heartbeat of ours is stored; `sentAt` is monotonic, from before it was sent */
  onConfirmed(sentAt: number): void;
  /** another process runs under our node's name: this one is over for good */
  onSeatTaken(): void;
  /** the living nodes, their weights, who drains or what is orphaned changed */
  onChange(): void;
}

export interface Membership {
  /**
   * Takes the node's seat and beats from then on. Resolves with the first heartbeat; while the store is away it goes on
   * trying.
   */
  start(hooks: MembershipHooks): Promise<void>;
  /** Beats and looks no more; the others hear a silence, or a farewell when `farewell`. Never throws. */
  stop(options: { farewell: boolean }): Promise<void>;
  /** Beats now: something changed that the others should know. */
  beat(): void;
  /** The nodes that live as far as this one knows, itself included, drainers too. */
  members(): readonly Member[];
  /** Those that have been heard for long enough to have listened to a silence, as far as this one knows; and itself. */
  elders(): readonly Member[];
  /**
   * The process that had this node's name before is silent for long enough, and the one that has it now cannot know that
   * yet: what the former left can only be claimed by others.
   */
  isOrphaned(nodeId: string): boolean;
  /** How long members(), their weights and who drains stood still, ms. */
  stableForMs(): number;
  /**
   * For how long this process has heard nothing from an owner, without a break of its own: 0 while it is heard or
   * cannot be told, Infinity where it is proven to be gone.
   */
  silentForMs(owner: Owner): number;
  /** Looks now. @throws STORE_UNAVAILABLE */
  look(): Promise<void>;
}

/** Who may hold a lock: `nodeId:incarnation`. */
export function holderName({ nodeId, incarnation }: Owner): string {
  return `${nodeId}:${incarnation}`;
}

export function nodeOfHolder(holder: string): string {
  return holder.slice(0, holder.lastIndexOf(':'));
}

export function isSameOwner(a: Owner, b: Owner): boolean {
  return a.nodeId === b.nodeId && a.incarnation === b.incarnation;
}
