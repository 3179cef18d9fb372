import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { ReceiptRecord } from '../ports.ts';

/**
 * What is read from the raw stanzas, before Baileys' own handlers see them: the attributes of messages, because its
 * Signal repository is only told the ciphertext, and receipts, because its own updates are merged and may be late.
 */
export interface StanzaTaps {
  stanzaOf(ciphertext: Uint8Array): Record<string, string> | undefined;
  attach(ws: EventEmitter): void;
  detach(): void;
}

/** The receipts that say something about a message's status. The others (retry, hist_sync, peer_msg, ...) are requests. */
const STATUS_RECEIPTS: ReadonlySet<string> = new Set([
  '',
  'inactive',
  'sender',
  'read',
  'read-self',
  'played',
  'played-self',
]);

/** @param onReceipt called synchronously, so that the receipt is staged before its ack is handed to the gate */
export function createStanzaTaps(onReceipt: (receipt: Omit<ReceiptRecord, 'at'>) => void): StanzaTaps {
  /* keyed by the very bytes that Baileys hands on: freed with them, however the message ends */
  const stanzas = new WeakMap<Uint8Array, Record<string, string>>();
  let attached: EventEmitter | null = null;

  function onMessage({ attrs, content }: BinaryNode): void {
    if (!Array.isArray(content)) return;
    for (const child of content) {
      if (child.tag === 'enc' && child.content instanceof Uint8Array) stanzas.set(child.content, attrs);
    }
  }

  function onReceiptStanza({ attrs, content }: BinaryNode): void {
    if (!attrs.id || !STATUS_RECEIPTS.has(attrs.type ?? '')) return;
    onReceipt({ kind: 'receipt', ids: [attrs.id, ...listedIds(content)], attrs });
  }

  return {
    stanzaOf: (ciphertext) => stanzas.get(ciphertext),
    attach(ws) {
      attached = ws;
      ws.prependListener('CB:message', onMessage);
      ws.prependListener('CB:receipt', onReceiptStanza);
    },
    detach() {
      attached?.off('CB:message', onMessage);
      attached?.off('CB:receipt', onReceiptStanza);
      attached = null;
    },
  };
}

function listedIds(content: BinaryNode['content']): string[] {
  const list = Array.isArray(content) ? content[0]?.content : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap(({ tag, attrs }) => (tag === 'item' && attrs.id ? [attrs.id] : []));
}
