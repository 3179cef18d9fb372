import { defineActions } from './action.ts';
import type { EventType } from './entities.ts';
import { type EventFilterParams, eventFilterParams } from './events.contract.ts';
import { page } from './params.ts';

/** Where a stream starts and what it shows; the gateway follows the event log with it. */
export interface StreamQuery {
  after?: string;
  types?: EventType[];
  connectionId?: string;
  userId?: string;
}

export interface GatewayActions {
  streamEvents: { params: EventFilterParams & { after?: string }; result: StreamQuery };
  live: { params: object; result: { status: string } };
  ready: { params: object; result: { status: string } };
  metrics: { params: object; result: string };
  openapi: { params: object; result: object };
}

/** What the gateway answers by itself. */
export const gatewayContract = defineActions({
  streamEvents: {
    name: 'gateway.streamEvents',
    summary: 'Follow the event log as server-sent events; continue with Last-Event-ID or after',
    rest: 'GET /event/stream',
    auth: 'user',
    params: { ...eventFilterParams, after: page.after },
    query: ['types', 'connectionId', 'after'],
    result: 'EventStream',
    produces: 'text/event-stream',
  },
  live: {
    name: 'gateway.live',
    summary: 'The process answers',
    rest: 'GET //health/live',
    auth: 'public',
    params: {},
    result: 'Health',
  },
  ready: {
    name: 'gateway.ready',
    summary: 'Requests may come: the process does not drain. What it needs may be away; then it answers 503 by itself',
    rest: 'GET //health/ready',
    auth: 'public',
    params: {},
    result: 'Health',
    errors: ['SHUTTING_DOWN'],
  },
  metrics: {
    name: 'gateway.metrics',
    summary: 'Metrics in the Prometheus text format',
    rest: 'GET //metrics',
    auth: 'public',
    params: {},
    result: 'Text',
    produces: 'text/plain',
  },
  openapi: {
    name: 'gateway.openapi',
    summary: 'This description',
    rest: 'GET //openapi.json',
    auth: 'public',
    params: {},
    result: 'OpenApi',
  },
});
