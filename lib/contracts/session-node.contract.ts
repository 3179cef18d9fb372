import { defineActions } from './action.ts';
import type { Page } from './entities.ts';
import { id, oneOf, optional, type PageParams, page, text } from './params.ts';

/**
 * What session-nodes answer to the other services. Only `nodes` and `workers` can be called from outside; the rest is
 * asked of the node that runs the connection (`mixins/owner-routing.mixin.ts`), or of any node where nothing runs it.
 */

interface ById {
  connectionId: string;
}

export interface NodeInfo {
  nodeId: string;
  incarnation: string;
  draining: boolean;
  connections: number;
  open: number;
  /** resident memory of the process */
  memoryBytes: number;
  /** sent and received in the last 60 seconds */
  messagesPerMinute: number;
  startedAt: string;
  /** since when it begins nothing any more; null while it does */
  drainingSince: string | null;
}

export interface WorkerInfo {
  workerId: string;
  connectionId: string;
  nodeId: string;
  epoch: number;
  status: 'live' | 'ended';
  startedAt: string;
  endedAt: string | null;
  endReason: string | null;
}

export interface WorkerQuery extends PageParams {
  nodeId?: string;
}

/** What there is to look at: `outbox` where nothing else can have changed, which spares reading the connection. */
export const WAKE_REASONS = ['outbox', 'connection'] as const;
export type WakeReason = (typeof WAKE_REASONS)[number];

export interface SessionNodeActions {
  wake: { params: ById & { reason?: WakeReason }; result: { running: boolean } };
  release: { params: ById; result: { released: boolean } };
  reserve: { params: object; result: { waitMs: number | null } };
  offer: { params: ById; result: { accepted: boolean } };
  arrival: { params: ById; result: { running: boolean } };
  pairingCode: { params: ById & { phoneNumber: string }; result: { pairingCode: string; expiresAt: string } };
  logout: { params: ById; result: { loggedOut: boolean } };
  lookup: { params: ById & { pn: string }; result: { onWhatsApp: boolean; lid: string | null } };
  info: { params: object; result: NodeInfo };
  nodes: { params: object; result: { items: NodeInfo[]; next: null } };
  workers: { params: WorkerQuery; result: Page<WorkerInfo> };
  drain: { params: { nodeId: string; draining?: boolean }; result: NodeInfo };
}

const nodeId = text(1, 255);
const byId = { connectionId: id('connection') };

export const sessionNodeContract = defineActions({
  wake: {
    name: 'session-node.wake',
    summary: 'Look at a connection and its outbox now instead of at the next round; a lost wake-up only delays',
    auth: 'user',
    params: { ...byId, reason: optional(oneOf(WAKE_REASONS)) },
    result: 'Wake',
  },
  release: {
    name: 'session-node.release',
    summary: 'Stop running a connection here, in the planned way',
    auth: 'admin',
    params: byId,
    result: 'Release',
  },
  reserve: {
    name: 'session-node.reserve',
    summary: 'Keep a place in the queue of claims for a node that hands a connection over',
    auth: 'admin',
    params: {},
    result: 'Reservation',
  },
  offer: {
    name: 'session-node.offer',
    summary: 'A connection was released for this node: claim it now',
    auth: 'admin',
    params: byId,
    result: 'Offer',
  },
  arrival: {
    name: 'session-node.arrival',
    summary: 'Answer when a connection that was offered is open here, or will not be soon',
    auth: 'admin',
    params: byId,
    result: 'Arrival',
  },
  pairingCode: {
    name: 'session-node.pairingCode',
    summary: 'Begin a pairing by code and answer the code',
    auth: 'user',
    params: { ...byId, phoneNumber: { type: 'string', pattern: /^\+?[1-9]\d{6,14}$/ } },
    result: 'PairingCode',
    errors: ['WRONG_STATE', 'NO_OWNER', 'SERVICE_UNAVAILABLE'],
  },
  logout: {
    name: 'session-node.logout',
    summary: 'Tell WhatsApp that this device is gone, then park the connection as logged_out',
    auth: 'user',
    params: byId,
    result: 'Logout',
    errors: ['NO_OWNER', 'OUTCOME_UNKNOWN'],
  },
  lookup: {
    name: 'session-node.lookup',
    summary: 'Ask WhatsApp over an open connection who goes by a number',
    auth: 'user',
    params: { ...byId, pn: { type: 'string', max: 64, pattern: /^[1-9]\d{6,14}@s\.whatsapp\.net$/ } },
    result: 'Lookup',
    errors: ['NO_OWNER'],
  },
  info: {
    name: 'session-node.info',
    summary: 'What this node runs',
    auth: 'admin',
    params: {},
    result: 'Node',
  },
  nodes: {
    name: 'session-node.nodes',
    summary: 'The nodes that run sessions',
    rest: 'GET /cluster/nodes',
    auth: 'admin',
    params: {},
    result: 'NodePage',
  },
  workers: {
    name: 'session-node.workers',
    summary: 'What runs where: the live activations, newest first',
    rest: 'GET /cluster/workers',
    auth: 'admin',
    params: { nodeId: optional(nodeId), ...page },
    query: ['nodeId', 'limit', 'after'],
    result: 'WorkerPage',
  },
  drain: {
    name: 'session-node.drain',
    summary: 'Let a node hand over what it runs and begin nothing more, until it is asked with `draining: false`',
    rest: 'POST /cluster/nodes/:nodeId/drain',
    auth: 'admin',
    params: { nodeId, draining: { type: 'boolean', optional: true } },
    result: 'Node',
    errors: ['SHUTTING_DOWN'],
  },
});
