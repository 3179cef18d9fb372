import type { DeviceAddress } from '../ports.ts';

export interface SocketRecord {
  id: number;
  remote: string;
  openedAt: number;
  device?: DeviceAddress;
  loginAt?: number;
  framesIn: number;
  framesOut: number;
  lastFrameInAt?: number;
  closedAt?: number;
  why?: string;
}

/** A newer login of a device while the older socket was still open. */
export interface Replacement {
  device: DeviceAddress;
  olderSocket: number;
  newerSocket: number;
  at: number;
  /** frames that the older socket sent after the newer one's login */
  framesAfter: number;
  /** the older socket answered a probe: its process ran with an open socket */
  olderAnswered: boolean;
}

const nameOf = ({ pn, device }: DeviceAddress): string => `${pn}:${device}`;

/** Every socket that ever was, and which ones of one device overlapped. */
export class SocketLog {
  private readonly records = new Map<number, SocketRecord>();
  private readonly current = new Map<string, number>();
  private readonly replacementOf = new Map<number, Replacement>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  opened(id: number, remote: string): void {
    this.records.set(id, { id, remote, openedAt: this.now(), framesIn: 0, framesOut: 0 });
  }

  loggedIn(id: number, device: DeviceAddress): void {
    const record = this.records.get(id);
    if (!record) return;
    record.device = device;
    record.loginAt = this.now();
    const older = this.current.get(nameOf(device));
    this.current.set(nameOf(device), id);
    if (older === undefined || this.records.get(older)?.closedAt !== undefined) return;
    const replacement = {
      device,
      olderSocket: older,
      newerSocket: id,
      at: this.now(),
      framesAfter: 0,
      olderAnswered: false,
    };
    this.replacementOf.set(older, replacement);
  }

  frameIn(id: number): void {
    const record = this.records.get(id);
    if (!record) return;
    record.framesIn++;
    record.lastFrameInAt = this.now();
    const replacement = this.replacementOf.get(id);
    if (replacement) replacement.framesAfter++;
  }

  frameOut(id: number): void {
    const record = this.records.get(id);
    if (record) record.framesOut++;
  }

  probeAnswered(id: number): void {
    const replacement = this.replacementOf.get(id);
    if (replacement) replacement.olderAnswered = true;
  }

  closed(id: number, why: string): void {
    const record = this.records.get(id);
    if (!record) return;
    record.closedAt = this.now();
    record.why = why;
  }

  list(filter: { pn?: string; device?: number; open?: boolean } = {}): SocketRecord[] {
    return [...this.records.values()].filter(
      (record) =>
        (filter.pn === undefined || record.device?.pn === filter.pn) &&
        (filter.device === undefined || record.device?.device === filter.device) &&
        (filter.open === undefined || (record.closedAt === undefined) === filter.open),
    );
  }

  replacements(): Replacement[] {
    return [...this.replacementOf.values()];
  }

  /**
   * Sessions that ran at the same time: the older socket sent a frame after the newer one's login, or both sockets were
   * open and the older one's process ran. A silent socket of a stopped process is a replacement, not an overlap.
   */
  overlaps(): Replacement[] {
    return this.replacements().filter(({ framesAfter, olderAnswered }) => framesAfter > 0 || olderAnswered);
  }
}
