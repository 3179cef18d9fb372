import type { MessageContent } from '../../../lib/contracts/entities.ts';

export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker' | 'unknown';

/** What a bubble shows: text as written, everything else as what it is. */
export type ContentView =
  | { kind: 'text'; text: string }
  | { kind: 'placeholder'; media: MediaKind; label: string; caption: string | null };

const LABELS: Readonly<Record<string, string>> = {
  image: 'Picture',
  video: 'Video',
  audio: 'Audio',
  document: 'Document',
  sticker: 'Sticker',
};
const PREVIEW_MAX = 120;

/** @returns what to show for a content; kinds that this page does not know are named, never guessed at */
export function viewOf(content: MessageContent): ContentView {
  if (content.type === 'text') return { kind: 'text', text: content.text };
  if (content.type === 'reaction') {
    const label = content.emoji === '' ? 'Reaction taken back' : `Reaction ${content.emoji}`;
    return placeholder('unknown', label, null);
  }
  if (content.type === 'unsupported')
    return placeholder('unknown', `Message of a kind not shown here: ${content.kind}`, null);
  const label = Object.hasOwn(LABELS, content.type) ? LABELS[content.type] : undefined;
  if (label === undefined) return placeholder('unknown', `Message of type ${String(content.type)}`, null);
  const details = [content.fileName, content.mimetype].filter(Boolean).join(', ');
  return placeholder(content.type, details ? `${label} (${details})` : label, content.caption ?? null);
}

/** One line for the list of chats. */
export function previewOf(content: MessageContent): string {
  const view = viewOf(content);
  const line = view.kind === 'text' ? view.text : [view.label, view.caption].filter(Boolean).join(': ');
  const oneLine = line.replace(/\s+/g, ' ').trim();
  return oneLine.length > PREVIEW_MAX ? `${[...oneLine].slice(0, PREVIEW_MAX).join('')}…` : oneLine;
}

function placeholder(media: MediaKind, label: string, caption: string | null): ContentView {
  return { kind: 'placeholder', media, label, caption };
}
