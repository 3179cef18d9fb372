import { partsOf } from './text-links.ts';

/** A text as it was written; web addresses in it can be followed, nothing else can. */
export function MessageText({ text }: { text: string }) {
  let offset = 0;
  return (
    <p class="message-text" dir="auto">
      {partsOf(text).map((part) => {
        const key = offset;
        offset += part.text.length;
        if (part.href === null) return part.text;
        return (
          <a key={key} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        );
      })}
    </p>
  );
}
