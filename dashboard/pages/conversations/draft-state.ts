import type { Advice } from './failure-reason.ts';

/** A message that was written here and that Castellan has not confirmed yet. */
export interface Draft {
  /** also its Idempotency-Key: however often it is retried, it is sent once */
  draftId: string;
  connectionId: string;
  chatId: string;
  text: string;
  state: 'submitting' | 'refused';
  advice: Advice | null;
}

/** @returns the drafts with a new one at their end */
export function addDraft(drafts: readonly Draft[], draft: Omit<Draft, 'state' | 'advice'>): Draft[] {
  return [...drafts, { ...draft, state: 'submitting', advice: null }];
}

export function refuseDraft(drafts: readonly Draft[], draftId: string, advice: Advice): Draft[] {
  return change(drafts, draftId, { state: 'refused', advice });
}

export function retryDraft(drafts: readonly Draft[], draftId: string): Draft[] {
  return change(drafts, draftId, { state: 'submitting', advice: null });
}

/** Stored (the thread shows it from now on), or given up. */
export function removeDraft(drafts: readonly Draft[], draftId: string): Draft[] {
  return drafts.filter((draft) => draft.draftId !== draftId);
}

export function draftsOf(drafts: readonly Draft[], chat: Pick<Draft, 'connectionId' | 'chatId'>): Draft[] {
  return drafts.filter(({ connectionId, chatId }) => connectionId === chat.connectionId && chatId === chat.chatId);
}

function change(drafts: readonly Draft[], draftId: string, fields: Partial<Draft>): Draft[] {
  return drafts.map((draft) => (draft.draftId === draftId ? { ...draft, ...fields } : draft));
}
