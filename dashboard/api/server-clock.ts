/** A page's clock may be wrong by minutes, and a QR code lives for 20 s: times of the server are compared with its own. */
let offsetMs: number | null = null;

/** @param date the `Date` header of an answer; whole seconds, so half of one is added */
export function noteServerTime(date: string | null): void {
  const at = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(at)) return;
  const seen = at + 500 - Date.now();
  /* below a second and a half it is the header's rounding and the way, not the clock */
  offsetMs = Math.abs(seen) < 1_500 ? 0 : seen;
}

/** Milliseconds since the epoch on the server's clock. */
export function serverNow(): number {
  return Date.now() + (offsetMs ?? 0);
}
