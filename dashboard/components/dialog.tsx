import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Button } from './button.tsx';

interface DialogProps {
  title: string;
  wide?: boolean;
  /** Escape, the cross, or a press beside it */
  onClose: () => void;
  /** only the cross and its own buttons close it: what it shows cannot be shown again */
  stays?: boolean;
  children: ComponentChildren;
}

/**
 * A modal dialog; render it while it shall be open. The browser's own: it keeps the focus inside, makes the rest inert,
 * and gives the focus back to what opened it. Put `autofocus` on what should be focused first.
 */
export function Dialog({ title, wide, onClose, stays, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  /* a text that is selected with the mouse beyond the edge is no press beside it */
  const pressedBeside = useRef(false);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog?.showModal();
    return () => {
      /* while it is open everything else is inert and cannot take the focus */
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        if (!stays) onClose();
      }}
      onKeyDown={(event) => {
        /* browsers close at the second Escape whatever `cancel` said */
        if (stays && event.key === 'Escape') event.preventDefault();
      }}
      onMouseDown={(event) => {
        pressedBeside.current = event.target === element.current;
      }}
      onClick={(event) => {
        if (pressedBeside.current && event.target === element.current && !stays) onClose();
      }}
    >
      <div class="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <Button kind="quiet" icon="close" iconOnly onClick={onClose}>
          Close
        </Button>
      </div>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
