/** Nearest rank; below 100 samples the 99th percentile is the worst one. 0 when there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

/** `name` with P50Ms and P99Ms after it. */
export function spread(name: string, values: readonly number[]): Record<string, number> {
  return { [`${name}P50Ms`]: percentile(values, 0.5), [`${name}P99Ms`]: percentile(values, 0.99) };
}
