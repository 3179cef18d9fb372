import { WebSocket } from 'ws';

/** Makes Node listen for `evaluateIn`, on a free port. */
export const INSPECTED = ['--inspect=127.0.0.1:0'];

/**
 * Runs an expression on the event loop of a process that was started with INSPECTED.
 * @param output what the process printed: it says where it listens
 * @returns when the expression has ended. @throws when it throws, or the process ends
 */
export async function evaluateIn(output: string, expression: string): Promise<void> {
  const address = [...output.matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)?.[1];
  if (!address) throw new Error('the process has no inspector');
  const socket = new WebSocket(address);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).once('close', () => reject(new Error('the process ended')));
      socket.once('open', () => {
        socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
      });
      socket.once('message', (data) => {
        const { result } = JSON.parse(String(data)) as { result?: { exceptionDetails?: { text: string } } };
        if (result?.exceptionDetails) reject(new Error(result.exceptionDetails.text));
        else resolve();
      });
    });
  } finally {
    socket.close();
  }
}
