import type { CurlCall } from '../../components/curl-line.ts';

/** What this page does, as calls of the API. */
export function connectionCalls(connectionId: string): CurlCall[] {
  const path = `/connection/${connectionId}`;
  return [
    { title: 'The connection', path },
    { title: 'Its history', path: `${path}/history` },
    { title: 'The QR code for a terminal', path: `${path}/auth/qr.txt` },
    { title: 'Stop it; also start, restart, logout', method: 'POST', path: `${path}/stop` },
    { title: 'Delete it', method: 'DELETE', path },
  ];
}
