import type { PagedResource } from '../api/use-pages.ts';
import { Button } from './button.tsx';

/** Below a list that has older rows. */
export function LoadMore({ pages }: { pages: Pick<PagedResource<never>, 'hasMore' | 'loadingMore' | 'loadMore'> }) {
  if (!pages.hasMore.value) return null;
  return (
    <div class="row spread">
      <Button busy={pages.loadingMore.value} onClick={() => void pages.loadMore()}>
        {pages.loadingMore.value ? 'Loading' : 'Show older'}
      </Button>
    </div>
  );
}
