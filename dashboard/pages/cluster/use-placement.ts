import { useEffect, useRef } from 'preact/hooks';
import type { CastellanEvent, Page } from '../../../lib/contracts/entities.ts';
import type { NodeInfo, WorkerInfo } from '../../../lib/contracts/session-node.contract.ts';
import { get } from '../../api/client.ts';
import { useEvents } from '../../api/use-events.ts';
import { type PagedResource, usePages } from '../../api/use-pages.ts';
import { type Resource, useResource } from '../../api/use-resource.ts';
import { applyToWorkers } from './placement-state.ts';

/** Memory and traffic are gauges: no event tells them, so they are read while somebody looks at them. */
const GAUGES_MS = 5_000;
/** A failover changes many at once. */
const SETTLE_MS = 500;
const LEAST_GAP_MS = 2_000;
const TYPES = ['connection.moved', 'connection.status'] as const;

/** The nodes, with their gauges. */
export function useNodes(): Resource<NodeInfo[]> {
  const nodes = useResource(async (signal) => (await get<Page<NodeInfo>>('/cluster/nodes', {}, signal)).items, []);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && !nodes.loading.peek()) void nodes.reload();
    }, GAUGES_MS);
    return () => clearInterval(timer);
  }, []);
  useSettled(() => void nodes.reload());
  return nodes;
}

/** Which connection lives where, all of them or those of one node. Remount for another node. */
export function useWorkers(nodeId: string): PagedResource<WorkerInfo> {
  const workers = usePages<WorkerInfo>('/cluster/workers', { nodeId, limit: 200 });
  const settled = useSettled(() => void workers.reload(), false);
  useEvents(TYPES, ({ event }) => {
    const known = workers.items.value;
    if (known === null) return;
    const after = applyToWorkers(known, event as CastellanEvent);
    workers.items.value = after.workers as WorkerInfo[];
    if (after.stale) settled();
  });
  return workers;
}

/** Runs a moment after something moved, or when it is asked to, and not more often than every other second. */
function useSettled(run: () => void, onEvents = true): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const lastAt = useRef(0);
  function soon(): void {
    const delayMs = Math.max(SETTLE_MS, lastAt.current + LEAST_GAP_MS - Date.now());
    timer.current ??= setTimeout(() => {
      timer.current = null;
      lastAt.current = Date.now();
      run();
    }, delayMs);
  }
  useEvents(TYPES, () => {
    if (onEvents) soon();
  });
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  return soon;
}
