import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Delivery, Page, Webhook } from '../../../lib/contracts/entities.ts';
import { type ApiError, toApiError } from '../../api/api-error.ts';
import { get } from '../../api/client.ts';
import { serverNow } from '../../api/server-clock.ts';
import { useEvents } from '../../api/use-events.ts';
import { useResource } from '../../api/use-resource.ts';
import { isFor, mergeDeliveries, nextLookAt } from './delivery-state.ts';

export interface Deliveries {
  data: Signal<Delivery[] | null>;
  error: Signal<ApiError | null>;
  reload(): Promise<void>;
  hasMore: Signal<boolean>;
  loadingMore: Signal<boolean>;
  loadMore(): Promise<void>;
}

const PAGE_SIZE = 50;
/** A delivery follows its event by so much. */
const AFTER_EVENT_MS = 600;
/** However much happens, the list is not read more often than this. */
const LEAST_GAP_MS = 2_000;

/**
 * The deliveries of a webhook. No event tells how one ends, so the list is read again when something happens that makes
 * one, and when the next attempt of a listed one is due: never just because time has passed.
 * @param status '' = all. Remount for another status or webhook
 */
export function useDeliveries(webhook: Webhook, status: string): Deliveries {
  const path = `/webhook/${webhook.webhookId}/deliveries`;
  const data = useSignal<Delivery[] | null>(null);
  const next = useSignal<string | null>(null);
  const hasMore = useSignal(false);
  const loadingMore = useSignal(false);

  const { error, reload } = useResource(
    async (signal) => {
      const page = await get<Page<Delivery>>(path, { status, limit: PAGE_SIZE }, signal);
      // What is older stays while somebody reads it; in a filtered list it might not belong there any more.
      const merged = status === '' ? mergeDeliveries(data.value ?? [], page.items) : page.items;
      if (merged.length === page.items.length) next.value = page.next;
      hasMore.value = next.value !== null;
      data.value = merged;
      return true;
    },
    [path, status],
  );
  useReloads(webhook, data, reload);

  async function loadMore(): Promise<void> {
    if (next.value === null || loadingMore.value) return;
    loadingMore.value = true;
    try {
      const page = await get<Page<Delivery>>(path, { status, limit: PAGE_SIZE, after: next.value });
      data.value = [...(data.value ?? []), ...page.items];
      next.value = page.next;
      hasMore.value = page.next !== null;
    } catch (thrown) {
      error.value = toApiError(thrown);
    } finally {
      loadingMore.value = false;
    }
  }
  return { data, error, reload, hasMore, loadingMore, loadMore };
}

function useReloads(webhook: Webhook, data: Signal<Delivery[] | null>, reload: () => Promise<void>): void {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const lastAt = useRef(0);

  useEvents(['*'], ({ event }) => {
    if (!isFor(webhook, event)) return;
    const delayMs = Math.max(AFTER_EVENT_MS, lastAt.current + LEAST_GAP_MS - Date.now());
    timer.current ??= setTimeout(() => {
      timer.current = null;
      lastAt.current = Date.now();
      void reload();
    }, delayMs);
  });
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);

  useSignalEffect(() => {
    const now = serverNow();
    const at = nextLookAt(data.value ?? [], now);
    if (at === null) return;
    const due = setTimeout(() => void reload(), at - now);
    return () => clearTimeout(due);
  });
}
