/** What the witness knows of one socket, as far as it counts here. Times are its monotonic milliseconds. */
export interface SocketTimes {
  device?: { pn: string; device: number };
  loginAt?: number;
  closedAt?: number;
}

/** A device that was away: from the end of one socket to the login of the next. */
export interface Gap {
  pn: string;
  closedAt: number;
  ms: number;
}

export interface Spread {
  count: number;
  p50: number;
  /** below 100 values the worst */
  p99: number;
  max: number;
}

/** Of every device, one socket after the other; attempts that never logged in do not end a gap. */
export function gapsOf(sockets: readonly SocketTimes[]): Gap[] {
  const byDevice = new Map<string, { loginAt: number; closedAt?: number }[]>();
  for (const { device, loginAt, closedAt } of sockets) {
    if (!device || loginAt === undefined) continue;
    const name = `${device.pn}:${device.device}`;
    byDevice.set(name, [...(byDevice.get(name) ?? []), { loginAt, ...(closedAt !== undefined && { closedAt }) }]);
  }
  return [...byDevice].flatMap(([name, times]) => {
    const inOrder = times.sort((a, b) => a.loginAt - b.loginAt);
    return inOrder.flatMap(({ closedAt }, at) => {
      const next = inOrder[at + 1];
      if (closedAt === undefined || !next) return [];
      return [{ pn: name.split(':')[0] ?? '', closedAt, ms: Math.max(0, next.loginAt - closedAt) }];
    });
  });
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
