import { batch, effect, signal } from '@preact/signals';
import type { Message } from '../../../lib/contracts/entities.ts';
import { toApiError } from '../../api/api-error.ts';
import { call, randomKey } from '../../api/client.ts';
import { session } from '../../api/session.ts';
import { addDraft, type Draft, refuseDraft, removeDraft, retryDraft } from './draft-state.ts';
import { adviceForRefusal } from './send-refusal.ts';

/** What was written and is not stored yet, of every chat: it outlives going to another page and signing in again. */
export const drafts = signal<readonly Draft[]>([]);

let writer: string | null = null;
effect(() => {
  const userId = session.value?.userId ?? null;
  if (userId === null || userId === writer) return;
  // Somebody else signed in: what was written is not theirs to see.
  if (writer !== null) drafts.value = [];
  writer = userId;
});

export interface Letter {
  connectionId: string;
  chatId: string;
  text: string;
}

/** Shows the text as a draft and asks the API to store it. @param onStored gets the message that came of it */
export function sendDraft(letter: Letter, onStored: (message: Message) => void): void {
  const draftId = randomKey();
  drafts.value = addDraft(drafts.value, { draftId, ...letter });
  void submit(draftId, letter, onStored);
}

/** The same again under the same Idempotency-Key: whatever became of the first request, it is sent once. */
export function retry({ draftId, ...letter }: Draft, onStored: (message: Message) => void): void {
  drafts.value = retryDraft(drafts.value, draftId);
  void submit(draftId, letter, onStored);
}

export function discard(draftId: string): void {
  drafts.value = removeDraft(drafts.value, draftId);
}

async function submit(draftId: string, letter: Letter, onStored: (message: Message) => void): Promise<void> {
  const { connectionId, chatId, text } = letter;
  const body = { connectionId, to: chatId, content: text };
  try {
    const message = await call<Message>('POST', '/message/send', { body, idempotencyKey: draftId });
    batch(() => {
      drafts.value = removeDraft(drafts.value, draftId);
      onStored(message);
    });
  } catch (thrown) {
    const { type, message, details } = toApiError(thrown);
    const status = typeof details.status === 'string' ? { status: details.status } : {};
    drafts.value = refuseDraft(drafts.value, draftId, adviceForRefusal({ type, message, ...status }));
  }
}
