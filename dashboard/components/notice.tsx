import type { ComponentChildren } from 'preact';
import type { Tone } from './badge.tsx';
import { Icon, type IconName } from './icon.tsx';

const ICONS: Record<Tone, IconName> = { ok: 'check', info: 'info', warn: 'warning', bad: 'warning', idle: 'info' };

interface NoticeProps {
  tone?: Tone;
  title?: ComponentChildren;
  children?: ComponentChildren;
  /** buttons */
  actions?: ComponentChildren;
  /** said by a screen reader as soon as it appears */
  urgent?: boolean;
}

/** A box that tells something about what is shown beside it. */
export function Notice({ tone = 'info', title, children, actions, urgent }: NoticeProps) {
  return (
    <div class={`notice tone-${tone}`} role={urgent ? 'alert' : undefined}>
      <Icon name={ICONS[tone]} />
      <div class="grow stack tight">
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {actions && <div class="row">{actions}</div>}
    </div>
  );
}
