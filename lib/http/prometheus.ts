import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The Prometheus text format, version 0.0.4. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @param labels of each value, in their braces: `{status="open"}`; empty for none */
export function gauge(
  name: string,
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): string[] {
  const lines = values.map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines];
}

/** What every process can say about itself. */
export interface ProcessMetrics {
  start(): void;
  /** begins a new window for the event loop's delay */
  lines(): string[];
  stop(): void;
}

export function createProcessMetrics(): ProcessMetrics {
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  return {
    start: () => void loopDelay.enable(),
    lines() {
      const lines = [
        ...gauge('process_resident_memory_bytes', 'Resident memory.', [['', process.memoryUsage.rss()]]),
        ...gauge('nodejs_eventloop_lag_p99_seconds', 'Event loop delay, 99th percentile since the last scrape.', [
          ['', loopDelay.percentile(99) / 1e9],
        ]),
      ];
      loopDelay.reset();
      return lines;
    },
    stop: () => void loopDelay.disable(),
  };
}
