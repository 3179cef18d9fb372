import { useErrorBoundary } from 'preact/hooks';
import { isAdmin } from '../api/session.ts';
import { LinkButton } from '../components/button.tsx';
import { Notice } from '../components/notice.tsx';
import { Page } from '../components/page.tsx';
import { Empty } from '../components/states.tsx';
import { ROUTES, type Route } from '../routes.ts';
import { matchPath, type PathParams } from '../routing/match-path.ts';
import { path } from '../routing/router.ts';

/** The page that the address names. */
export function CurrentPage() {
  const here = path.value;
  const hit = find(here);
  if (!hit) return <Nothing title="There is no such page" text={`Nothing is at ${here}.`} />;
  if (hit.route.admin && !isAdmin())
    return <Nothing title="For admins" text="Sign in with an admin key to see this." />;
  return <Guarded key={here} route={hit.route} params={hit.params} />;
}

function find(here: string): { route: Route; params: PathParams } | null {
  for (const route of ROUTES) {
    const params = matchPath(route.path, here);
    if (params) return { route, params };
  }
  return null;
}

/** A page that breaks takes neither the navigation nor the other pages with it. */
function Guarded({ route, params }: { route: Route; params: PathParams }) {
  const [broken, reset] = useErrorBoundary();
  if (!broken) return <route.page params={params} />;
  return (
    <Notice
      tone="bad"
      urgent
      title="This page broke"
      actions={
        <button type="button" class="button small" onClick={reset}>
          Try again
        </button>
      }
    >
      {broken instanceof Error ? broken.message : 'It is not known why.'}
    </Notice>
  );
}

function Nothing({ title, text }: { title: string; text: string }) {
  return (
    <Page title={title} curl={[{ path: '//openapi.json' }]}>
      <Empty
        icon="search"
        title="Nothing here"
        actions={<LinkButton href="/connections">To the connections</LinkButton>}
      >
        {text}
      </Empty>
    </Page>
  );
}
