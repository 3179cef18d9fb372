import type { Clock } from '../clock.ts';

/**
 * A reach-out restriction (ack 463): WhatsApp lets an account write to chats that it has already, and refuses new ones
 * for a time that it does not tell. New chats wait. After six hours the oldest of them is tried, alone: if its message
 * passes the restriction is over, if it is refused too the others wait twice as long, a day at most. A start or restart
 * by a person forgets the pause, so that its next new chat is tried at once.
 */
export interface NewChatPause {
  /** when one new chat is tried, ms since the epoch */
  until: number;
  /** how long the present wait is, ms */
  delayMs: number;
}

export interface NewChatGate {
  readonly isPaused: boolean;
  /** @param newChats in the order of their jobs. @returns those that have to wait */
  holdBack(newChats: readonly string[]): string[];
  /** WhatsApp answered a message in this chat. @returns whether that changed what has to wait */
  answered(chatId: string, waCode: number | null): boolean;
  /** The job that was tried ended, in whatever way. */
  ended(chatId: string): void;
}

export interface NewChatGateOptions {
  clock: Pick<Clock, 'now'>;
  /** as it was left by the last socket; null = none */
  pause: NewChatPause | null;
  /** a pause begins, goes on, or is over (null) */
  onChange(pause: NewChatPause | null): void;
}

export const REACHOUT_RESTRICTION = 463;
const FIRST_WAIT_MS = 6 * 3_600_000;
const LONGEST_WAIT_MS = 24 * 3_600_000;

export function createNewChatGate({ clock, onChange, ...options }: NewChatGateOptions): NewChatGate {
  let { pause } = options;
  /** the new chat that is being tried */
  let probe: string | null = null;

  function change(next: NewChatPause | null): true {
    pause = next;
    probe = null;
    onChange(next);
    return true;
  }

  /** Several new chats may be under way when the first is refused: they are one refusal. */
  function refused(): boolean {
    if (pause && clock.now() < pause.until) return false;
    const delayMs = pause ? Math.min(pause.delayMs * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
    return change({ until: clock.now() + delayMs, delayMs });
  }

  return {
    get isPaused() {
      return pause !== null;
    },
    holdBack(newChats) {
      if (!pause) return [];
      if (probe === null && clock.now() >= pause.until) probe = newChats[0] ?? null;
      return newChats.filter((chatId) => chatId !== probe);
    },
    answered(chatId, waCode) {
      if (waCode === REACHOUT_RESTRICTION) return refused();
      return waCode === null && chatId === probe ? change(null) : false;
    },
    ended(chatId) {
      if (chatId === probe) probe = null;
    },
  };
}
