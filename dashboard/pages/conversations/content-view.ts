import type { MessageContent } from '../../../lib/contracts/entities.ts';

/** What a bubble shows: text as written, everything else as what it is. */
export type ContentView =
  | { kind: 'text'; text: string }
  | { kind: 'placeholder'; symbol: string; label: string; caption: string | null };

const MEDIA: Readonly<Record<string, { symbol: string; label: string }>> = {
  image: { symbol: '🖼', label: 'Picture' },
  video: { symbol: '🎞', label: 'Video' },
  audio: { symbol: '🎵', label: 'Audio' },
  document: { symbol: '📄', label: 'Document' },
  sticker: { symbol: '🏷', label: 'Sticker' },
};
const PREVIEW_MAX = 120;

/** @returns what to show for a content; kinds that this page does not know are named, never guessed at */
export function viewOf(content: MessageContent): ContentView {
  if (content.type === 'text') return { kind: 'text', text: content.text };
  if (content.type === 'reaction') {
    const label = content.emoji === '' ? 'Reaction taken back' : `Reaction ${content.emoji}`;
    return placeholder('💬', label, null);
  }
  if (content.type === 'unsupported')
    return placeholder('❔', `Message of a kind not shown here: ${content.kind}`, null);
  const known = Object.hasOwn(MEDIA, content.type) ? MEDIA[content.type] : undefined;
  const media = known ?? { symbol: '❔', label: `Message of type ${String(content.type)}` };
  const details = [content.fileName, content.mimetype].filter(Boolean).join(', ');
  return placeholder(media.symbol, details ? `${media.label} (${details})` : media.label, content.caption ?? null);
}

/** One line for the list of chats. */
export function previewOf(content: MessageContent): string {
  const view = viewOf(content);
  const line = view.kind === 'text' ? view.text : [view.symbol, view.caption ?? view.label].join(' ');
  const oneLine = line.replace(/\s+/g, ' ').trim();
  return oneLine.length > PREVIEW_MAX ? `${[...oneLine].slice(0, PREVIEW_MAX).join('')}…` : oneLine;
}

function placeholder(symbol: string, label: string, caption: string | null): ContentView {
  return { kind: 'placeholder', symbol, label, caption };
}
