import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Link } from '../routing/link.tsx';
import { Icon, type IconName } from './icon.tsx';

export type ButtonKind = 'plain' | 'primary' | 'danger' | 'danger solid' | 'quiet';

interface Look {
  kind?: ButtonKind;
  small?: boolean;
  icon?: IconName;
  /** only the icon is seen; `children` is its name for a screen reader */
  iconOnly?: boolean;
  children: ComponentChildren;
}

type ButtonProps = Look &
  Omit<ButtonHTMLAttributes, 'icon' | 'class' | 'disabled'> & { busy?: boolean; disabled?: boolean };

/**
 * A button. While `busy` or `disabled` it can still be reached with the keyboard (the focus is not lost), and does
 * nothing. `type` is `button` unless said otherwise.
 */
export function Button({ kind, small, icon, iconOnly, busy, disabled, children, onClick, type, ...rest }: ButtonProps) {
  const off = busy || disabled;
  return (
    <button
      {...rest}
      type={type ?? 'button'}
      class={classOf({ kind, small, iconOnly })}
      aria-disabled={off ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      onClick={(event) => {
        if (off) event.preventDefault();
        else onClick?.(event);
      }}
    >
      <Inside icon={icon} iconOnly={iconOnly}>
        {children}
      </Inside>
    </button>
  );
}

/** A link that looks like a button; `outside` = not a path of this page. */
export function LinkButton({
  kind,
  small,
  icon,
  iconOnly,
  href,
  children,
  outside,
}: Look & { href: string; outside?: boolean }) {
  const look = classOf({ kind, small, iconOnly });
  const inside = (
    <Inside icon={icon} iconOnly={iconOnly}>
      {children}
    </Inside>
  );
  if (outside) {
    return (
      <a href={href} class={look}>
        {inside}
      </a>
    );
  }
  return (
    <Link href={href} class={look}>
      {inside}
    </Link>
  );
}

type Inner = { icon: IconName | undefined; iconOnly: boolean | undefined; children: ComponentChildren };

function Inside({ icon, iconOnly, children }: Inner) {
  return (
    <>
      {icon && <Icon name={icon} size={16} />}
      {iconOnly ? <span class="sr-only">{children}</span> : children}
    </>
  );
}

function classOf({
  kind = 'plain',
  small,
  iconOnly,
}: { [K in 'kind' | 'small' | 'iconOnly']: Look[K] | undefined }): string {
  return `button ${kind}${small ? ' small' : ''}${iconOnly ? ' icon-only' : ''}`;
}
