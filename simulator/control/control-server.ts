import { createServer, type Server } from 'node:http';

export function createControlServer(_: () => unknown): Server {
  return createServer((_request, response) => response.writeHead(404).end());
}
