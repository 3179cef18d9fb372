import { Outline } from '../../components/icon.tsx';
import type { MediaKind } from './content-view.ts';

const OUTLINES: Record<MediaKind, string> = {
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01',
  video: 'M3 6h12v12H3zM15 10l6-3v10l-6-3',
  audio: 'M9 18a2.5 2.5 0 1 1-.01 0M11.5 15.5V5l7-1.5V14M16 16.5a2.5 2.5 0 1 1-.01 0',
  document: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h7',
  sticker: 'M5 4h14v9l-7 7H5zM12 20v-7h7',
  unknown: 'M12 3a9 9 0 1 0 .01 0M9.5 9.5a2.5 2.5 0 1 1 2.5 3v1.5M12 17h.01',
};

/** What kind of thing is not shown here; the label beside it says it in words. */
export function MediaIcon({ media }: { media: MediaKind }) {
  return <Outline path={OUTLINES[media]} />;
}
