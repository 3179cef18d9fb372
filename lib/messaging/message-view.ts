import { isoTime } from '../clock.ts';
import type { Message, MessageContent, QueueJob } from '../contracts/entities.ts';
import type { JobDoc, MessageDoc } from '../storage/collections.ts';
import type { Vault } from '../storage/vault.ts';

export const MESSAGES_COLLECTION = 'messages';
export const JOBS_COLLECTION = 'jobs';

/** Content as it is stored: readable with the vault's key, and only in the row of this message. */
export function sealContent(vault: Vault, messageId: string, content: MessageContent): Uint8Array {
  return vault.sealJson(content, messageId);
}

/** @throws SESSION_QUARANTINED when the stored bytes cannot be opened */
export function openContent(vault: Vault, doc: Pick<MessageDoc, '_id' | 'content'>): MessageContent {
  return vault.openJson<MessageContent>(doc.content, doc._id);
}

/** A stored message in the form that leaves Castellan. */
export function toMessage(doc: MessageDoc, content: MessageContent): Message {
  return {
    messageId: doc._id,
    connectionId: doc.connectionId,
    userId: doc.userId,
    direction: doc.direction,
    source: doc.source,
    chatId: doc.chatId,
    from: doc.from,
    to: doc.to,
    content,
    status: doc.status,
    error: doc.error,
    waMessageId: doc.waMessageId,
    jobId: doc.jobId,
    timestamp: isoTime(doc.timestamp),
    createdAt: isoTime(doc.createdAt),
    updatedAt: isoTime(doc.updatedAt),
  };
}

export function toQueueJob(doc: JobDoc): QueueJob {
  return {
    jobId: doc._id,
    connectionId: doc.connectionId,
    userId: doc.userId,
    jobType: doc.jobType,
    status: doc.status,
    attempts: doc.attempts,
    runAt: isoTime(doc.runAt),
    subjectId: doc.subjectId,
    error: doc.error,
    createdAt: isoTime(doc.createdAt),
    updatedAt: isoTime(doc.updatedAt),
  };
}
