import { defineActions } from './action.ts';
import {
  CONNECTION_STATUSES,
  type Connection,
  type ConnectionHistoryEntry,
  type ConnectionStatus,
  type DeviceInfo,
  type Page,
  type RemoteAuth,
} from './entities.ts';
import { id, jsonObject, oneOf, optional, type PageParams, page, text, userId } from './params.ts';

export type PairingParams = { method: 'qr' } | { method: 'code'; phoneNumber: string };

export interface CreateConnectionParams {
  userId?: string;
  deviceInfo?: DeviceInfo;
  name?: string;
  pairing?: PairingParams;
  metadata?: Record<string, unknown>;
  autoStart?: boolean;
}

interface ById {
  connectionId: string;
}

export interface ConnectionsActions {
  create: { params: CreateConnectionParams; result: Connection };
  list: { params: PageParams & { userId?: string; status?: ConnectionStatus }; result: Page<Connection> };
  get: { params: ById; result: Connection };
  history: { params: ById & PageParams; result: Page<ConnectionHistoryEntry> };
  start: { params: ById; result: Connection };
  stop: { params: ById; result: Connection };
  restart: { params: ById; result: Connection };
  logout: { params: ById; result: Connection };
  remove: { params: ById; result: Connection };
  auth: { params: ById; result: RemoteAuth };
  qrPng: { params: ById & { size?: number }; result: Buffer };
  qrSvg: { params: ById; result: string };
  qrText: { params: ById; result: string };
  pairingCode: { params: ById & { phoneNumber: string }; result: { pairingCode: string; expiresAt: string } };
}

const connectionId = id('connection');
const METADATA_MAX_BYTES = 16_384;
/** E.164 with or without the plus */
const phoneNumber = { type: 'string', pattern: /^\+?[1-9]\d{6,14}$/ } as const;
const byId = { connectionId };

const deviceInfo = [
  text(1, 64),
  {
    type: 'object',
    props: { os: optional(text(1, 64)), browser: optional(text(1, 64)), version: optional(text(1, 64)) },
  },
];
const pairing = [
  { type: 'object', props: { method: { type: 'equal', value: 'qr', strict: true } } },
  { type: 'object', props: { method: { type: 'equal', value: 'code', strict: true }, phoneNumber } },
];

const change = <N extends string>(verb: N, summary: string, errors: readonly string[] = []) =>
  ({
    name: `connections.${verb}`,
    summary,
    rest: `POST /connection/:connectionId/${verb}`,
    auth: 'user',
    params: byId,
    result: 'Connection',
    errors,
  }) as const;

export const connectionsContract = defineActions({
  create: {
    name: 'connections.create',
    summary: 'Create a connection; it starts connecting at once unless autoStart is false',
    rest: 'POST /connection/create',
    auth: 'user',
    params: {
      userId: optional(userId),
      deviceInfo: { type: 'multi', rules: deviceInfo, optional: true },
      name: optional(text(1, 128)),
      pairing: { type: 'multi', rules: pairing, optional: true },
      metadata: optional(jsonObject(METADATA_MAX_BYTES)),
      autoStart: { type: 'boolean', optional: true },
    },
    status: 201,
    result: 'Connection',
    idempotent: true,
  },
  list: {
    name: 'connections.list',
    summary: 'List connections, newest first',
    rest: 'GET /connection/list',
    auth: 'user',
    params: { userId: optional(userId), status: optional(oneOf(CONNECTION_STATUSES)), ...page },
    query: ['userId', 'status', 'limit', 'after'],
    result: 'ConnectionPage',
  },
  get: {
    name: 'connections.get',
    summary: 'Get a connection',
    rest: 'GET /connection/:connectionId',
    auth: 'user',
    params: byId,
    result: 'Connection',
  },
  history: {
    name: 'connections.history',
    summary: 'Status changes with reasons and nodes, newest first',
    rest: 'GET /connection/:connectionId/history',
    auth: 'user',
    params: { ...byId, ...page },
    query: ['limit', 'after'],
    result: 'ConnectionHistoryPage',
  },
  start: change('start', 'Start it: it shall run'),
  stop: change('stop', 'Stop it; the login is kept'),
  restart: change('restart', 'Close the socket and connect anew', ['WRONG_STATE']),
  logout: change('logout', 'Log out of WhatsApp: the phone forgets this device'),
  remove: {
    name: 'connections.remove',
    summary: 'Delete a connection with its login',
    rest: 'DELETE /connection/:connectionId',
    auth: 'user',
    params: byId,
    result: 'Connection',
  },
  auth: {
    name: 'connections.auth',
    summary: 'The running login: QR string or pairing code, its state and expiry',
    rest: 'GET /connection/:connectionId/auth',
    auth: 'user',
    params: byId,
    result: 'RemoteAuth',
  },
  qrPng: {
    name: 'connections.qrPng',
    summary: 'The current QR code as a picture',
    rest: 'GET /connection/:connectionId/auth/qr.png',
    auth: 'user',
    params: { ...byId, size: { type: 'number', integer: true, min: 64, max: 2048, optional: true } },
    query: ['size'],
    result: 'Picture',
    produces: 'image/png',
    errors: ['WRONG_STATE'],
  },
  qrSvg: {
    name: 'connections.qrSvg',
    summary: 'The current QR code as a vector picture',
    rest: 'GET /connection/:connectionId/auth/qr.svg',
    auth: 'user',
    params: byId,
    result: 'Picture',
    produces: 'image/svg+xml',
    errors: ['WRONG_STATE'],
  },
  qrText: {
    name: 'connections.qrText',
    summary: 'The current QR code for a terminal',
    rest: 'GET /connection/:connectionId/auth/qr.txt',
    auth: 'user',
    params: byId,
    result: 'Picture',
    produces: 'text/plain',
    errors: ['WRONG_STATE'],
  },
  pairingCode: {
    name: 'connections.pairingCode',
    summary: 'Ask WhatsApp for a pairing code, to be typed on the phone',
    rest: 'POST /connection/:connectionId/auth/pairing-code',
    auth: 'user',
    params: { ...byId, phoneNumber },
    result: 'PairingCode',
    errors: ['WRONG_STATE', 'NO_OWNER'],
  },
});
