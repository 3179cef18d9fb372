import { DEFAULT_RETRY_SCHEDULE, type RetrySchedule } from './retry-schedule.ts';

export interface DeliveryOptions {
  schedule: RetrySchedule;
  /** a receiver must have answered (status and headers) by then; ms */
  timeoutMs: number;
  /** an attempt that has not ended by then was abandoned (its process died) and is made again; more than `timeoutMs`; ms */
  leaseMs: number;
  /** attempts at once in this process */
  maxInFlight: number;
  /** attempts at once of one webhook: what a hanging receiver can hold */
  maxInFlightPerWebhook: number;
}

export const DEFAULT_DELIVERY_OPTIONS: DeliveryOptions = {
  schedule: DEFAULT_RETRY_SCHEDULE,
  timeoutMs: 15_000,
  leaseMs: 25_000,
  maxInFlight: 256,
  maxInFlightPerWebhook: 4,
};

/** Webhooks that one user may have. */
export const MAX_WEBHOOKS_PER_USER = 50;
