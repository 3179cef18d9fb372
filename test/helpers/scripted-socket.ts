import { CastellanError } from '../../lib/errors.ts';
import type { SendRequest, ServerAck, WhatsAppSocket } from '../../lib/session/ports.ts';

export const ACCEPTED: ServerAck = { waCode: null, serverTimestamp: null };

export interface ScriptedSocket extends Pick<WhatsAppSocket, 'send' | 'lookup'> {
  /** every send that was begun, in order */
  readonly begun: SendRequest[];
  /** most sends at once, over all chats and in one chat */
  readonly most: { overall: number; inOneChat: number };
  readonly lookups: string[];
  /** texts in the order in which they were begun */
  texts(): string[];
}

/**
 * A socket whose answers are scripted, for what real ones cannot show on purpose: every order of acks, every moment of a
 * close. How sends go over real sockets is shown by the tests with the simulator.
 */
export function scriptedSocket(
  answer: (request: SendRequest, nth: number) => Promise<ServerAck> | ServerAck = () => ACCEPTED,
  numbers: (pn: string) => { lid: string | null; pn: string } | null = (pn) => ({ lid: null, pn }),
): ScriptedSocket {
  const active = new Map<string, number>();
  const socket: ScriptedSocket = {
    begun: [],
    most: { overall: 0, inOneChat: 0 },
    lookups: [],
    texts: () => socket.begun.map(({ content }) => (content.type === 'text' ? content.text : content.type)),
    async send(request) {
      socket.begun.push(request);
      active.set(request.chatId, (active.get(request.chatId) ?? 0) + 1);
      const counts = [...active.values()];
      socket.most.overall = Math.max(
        socket.most.overall,
        counts.reduce((a, b) => a + b, 0),
      );
      socket.most.inOneChat = Math.max(socket.most.inOneChat, ...counts);
      try {
        return await answer(request, socket.begun.length);
      } finally {
        active.set(request.chatId, (active.get(request.chatId) ?? 1) - 1);
      }
    },
    async lookup(pn) {
      socket.lookups.push(pn);
      return numbers(pn);
    },
  };
  return socket;
}

export const closed = (claimed: boolean) => new CastellanError('CONNECTION_CLOSED', undefined, { claimed });
