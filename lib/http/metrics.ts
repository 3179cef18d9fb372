import { CONNECTION_STATUSES } from '../contracts/entities.ts';
import type { ConnectionDoc } from '../storage/collections.ts';
import type { Store } from '../storage/port.ts';
import { createProcessMetrics, gauge } from './prometheus.ts';

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Series {
  count: number;
  sumSeconds: number;
  buckets: number[];
}

export interface HttpMetrics {
  /** @param route the route's pattern, never the path: ids would make a series each */
  observe(method: string, route: string, status: number, durationMs: number): void;
  /** @returns the Prometheus text format, version 0.0.4. Connections are left out while the store is down. */
  render(): Promise<string>;
  stop(): void;
}

/** @param store counts connections by status at scrape time, so that a gateway that runs nothing else tells the truth */
export function createHttpMetrics(store: Store): HttpMetrics {
  const requests = new Map<string, number>();
  const durations = new Map<string, Series>();
  const ownProcess = createProcessMetrics();
  ownProcess.start();

  function observe(method: string, route: string, status: number, durationMs: number): void {
    const labels = `method="${method}",route="${route}"`;
    const counted = `${labels},status="${status}"`;
    requests.set(counted, (requests.get(counted) ?? 0) + 1);
    const series = durations.get(labels) ?? { count: 0, sumSeconds: 0, buckets: BUCKETS_SECONDS.map(() => 0) };
    const seconds = durationMs / 1000;
    series.count += 1;
    series.sumSeconds += seconds;
    BUCKETS_SECONDS.forEach((bound, at) => {
      if (seconds <= bound) series.buckets[at] = (series.buckets[at] ?? 0) + 1;
    });
    durations.set(labels, series);
  }

  function histogram([labels, { count, sumSeconds, buckets }]: [string, Series]): string[] {
    const name = 'castellan_http_request_duration_seconds';
    const lines = BUCKETS_SECONDS.map((bound, at) => `${name}_bucket{${labels},le="${bound}"} ${buckets[at]}`);
    lines.push(`${name}_bucket{${labels},le="+Inf"} ${count}`);
    lines.push(`${name}_sum{${labels}} ${sumSeconds}`, `${name}_count{${labels}} ${count}`);
    return lines;
  }

  async function connectionLines(): Promise<string[]> {
    const connections = store.collection<ConnectionDoc>('connections');
    try {
      const counts = await Promise.all(
        CONNECTION_STATUSES.map((status) => connections.count({ status, deletedAt: null })),
      );
      return gauge(
        'castellan_connections',
        'Connections by status.',
        CONNECTION_STATUSES.map((status, at) => [`{status="${status}"}`, counts[at] ?? 0]),
      );
    } catch {
      return [];
    }
  }

  async function render(): Promise<string> {
    const lines = [
      '# HELP castellan_http_requests_total Answered requests.',
      '# TYPE castellan_http_requests_total counter',
      ...[...requests].map(([labels, value]) => `castellan_http_requests_total{${labels}} ${value}`),
      '# HELP castellan_http_request_duration_seconds From the first byte of a request to the end of its answer.',
      '# TYPE castellan_http_request_duration_seconds histogram',
      ...[...durations].flatMap(histogram),
      ...(await connectionLines()),
      ...ownProcess.lines(),
    ];
    return `${lines.join('\n')}\n`;
  }

  return { observe, render, stop: ownProcess.stop };
}
