import { useSignal, useSignalEffect } from '@preact/signals';
import type { User } from '../../lib/contracts/entities.ts';
import { get } from '../api/client.ts';
import { isAdmin, session, signOut } from '../api/session.ts';
import { useAction } from '../api/use-action.ts';
import { useResource } from '../api/use-resource.ts';
import { Button } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { NAVIGATION } from '../routes.ts';
import { Link } from '../routing/link.tsx';
import { path } from '../routing/router.ts';
import { LiveMark } from './live-mark.tsx';
import { ThemeButton } from './theme-button.tsx';

/** The navigation: beside the page on a wide screen, behind a button on a narrow one. */
export function Sidebar() {
  const open = useSignal(false);
  useSignalEffect(() => {
    path.value;
    open.value = false;
  });
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape anywhere within closes the menu, as in a dialog
    <header
      class="sidebar"
      onKeyDown={(event) => {
        if (event.key === 'Escape') open.value = false;
      }}
    >
      <Link class="brand" href="/connections">
        <img src="/favicon.svg" width="26" height="26" alt="" />
        Castellan
      </Link>
      <div class="menu-toggle">
        <LiveMark />
      </div>
      <div class="menu-toggle">
        <Button
          kind="quiet"
          icon={open.value ? 'close' : 'menu'}
          iconOnly
          aria-expanded={open.value}
          aria-controls="menu"
          onClick={() => {
            open.value = !open.value;
          }}
        >
          Menu
        </Button>
      </div>
      <div id="menu" class={open.value ? 'menu-panel is-open' : 'menu-panel'}>
        <Navigation />
        <Foot />
      </div>
    </header>
  );
}

function Navigation() {
  const shown = NAVIGATION.filter(({ admin }) => !admin || isAdmin());
  return (
    <nav aria-label="Main">
      <ul>
        {shown.map(({ href, label, icon }) => (
          <li key={href}>
            <Link class="nav-link" href={href} aria-current={isWithin(href) ? 'page' : undefined}>
              <Icon name={icon} />
              {label}
            </Link>
          </li>
        ))}
        <li>
          <a class="nav-link" href="/docs">
            <Icon name="docs" />
            API documentation
          </a>
        </li>
      </ul>
    </nav>
  );
}

function isWithin(href: string): boolean {
  const here = path.value === '/' ? '/connections' : path.value;
  return here === href || here.startsWith(`${href}/`);
}

/** The holder of the first admin key is no user, so that only users have a name. */
function WhoAmI() {
  const { userId, role } = session.value ?? {};
  const user = useResource<User | null>(
    async (signal) => (role === 'user' ? get(`/user/${encodeURIComponent(userId ?? '')}`, {}, signal) : null),
    [userId, role],
  );
  return <>{role === 'admin' ? 'Admin' : (user.data.value?.username ?? userId)}</>;
}

function Foot() {
  const leave = useAction(signOut);
  return (
    <div class="side-foot">
      <div class="row spread">
        <p class="small muted truncate">
          <span class="sr-only">Signed in: </span>
          <WhoAmI />
        </p>
        <LiveMark />
      </div>
      <ThemeButton />
      <Button kind="quiet" small icon="out" busy={leave.busy.value} onClick={() => void leave.run()}>
        Sign out
      </Button>
      {leave.error.value && <p class="small">{leave.error.value.message}</p>}
    </div>
  );
}
