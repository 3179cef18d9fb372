import { useSignal } from '@preact/signals';
import { announce } from './announcer.tsx';
import { Button } from './button.tsx';

const SHOWN_MS = 1_600;

interface CopyButtonProps {
  /** or what gives it, at the press */
  text: string | (() => string);
  label?: string;
  iconOnly?: boolean;
}

export function CopyButton({ text, label = 'Copy', iconOnly = true }: CopyButtonProps) {
  const copied = useSignal(false);
  async function copy(): Promise<void> {
    copied.value = await toClipboard(typeof text === 'string' ? text : text());
    announce(copied.value ? 'Copied' : 'The browser did not allow copying');
    setTimeout(() => {
      copied.value = false;
    }, SHOWN_MS);
  }
  return (
    <Button kind="quiet" small icon={copied.value ? 'check' : 'copy'} iconOnly={iconOnly} onClick={() => void copy()}>
      {copied.value ? 'Copied' : label}
    </Button>
  );
}

/** `navigator.clipboard` is not there over plain HTTP from another host. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr-only';
  /* inside an open dialog: what is outside of it cannot be focused */
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
