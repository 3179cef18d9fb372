import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { ClientConnection } from './client-connection.ts';
import type { NoiseIdentity } from './noise-certificate.ts';
import type { SimulatedServer } from './simulated-server.ts';

const longestMessageBytes = 16 * 1024 * 1024;

/** Accepts WebSockets on any path (real clients use `/ws/chat`), unless a fault has other plans. */
export function createListener(server: SimulatedServer, identity: NoiseIdentity): Server {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: longestMessageBytes });
  const http = createServer((_, response) => response.writeHead(426, { upgrade: 'websocket' }).end());
  let nextConnectionId = 1;
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const tcp = stream as Socket;
    tcp.on('error', () => {}); // a client that went away during the upgrade
    tcp.setNoDelay(true);
    const fault = server.world.faults.atUpgrade();
    if (fault?.type === 'refuse') return tcp.resetAndDestroy();
    if (fault?.type === 'http-status') return answerStatus(tcp, fault.status);
    webSockets.handleUpgrade(request, tcp, head, (webSocket) => {
      const silent = fault?.type === 'hang';
      const id = nextConnectionId++;
      const connection = new ClientConnection(id, webSocket, tcp, identity, server.sessions, { silent });
      server.sessions.opened(connection);
    });
  });
  return http;
}

function answerStatus(tcp: Socket, status: number): void {
  const reason = STATUS_CODES[status] ?? 'Error';
  tcp.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
