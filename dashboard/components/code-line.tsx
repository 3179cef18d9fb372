import { CopyButton } from './copy-button.tsx';

/** Text to be copied: a command, an id, a key. */
export function CodeLine({ code, label }: { code: string; label?: string }) {
  return (
    <div class="code-line">
      <pre>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} {...(label && { label })} />
    </div>
  );
}
