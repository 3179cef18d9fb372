/** Outlines on a grid of 24, drawn for this page. Always beside a text or inside something that has a label. */
const OUTLINES = {
  link: 'M9 15l6-6M10.5 6.5l1-1a4.2 4.2 0 0 1 6 6l-1 1M13.5 17.5l-1 1a4.2 4.2 0 0 1-6-6l1-1',
  chat: 'M4 5h16v11H9l-5 4z',
  webhook: 'M12 4v6m0 0a3 3 0 1 0 .01 0M5 20a3 3 0 1 1 2.6-4.5L10 12M19 20a3 3 0 1 0-2.6-4.5L14 12',
  events: 'M4 6h16M4 12h10M4 18h13',
  users:
    'M9 11a3.5 3.5 0 1 0-.01 0M3 20c0-3.5 2.5-5.5 6-5.5s6 2 6 5.5M16 4.5a3.2 3.2 0 0 1 0 6.2M17.5 15c2.2.6 3.5 2.3 3.5 5',
  cluster: 'M5 4h14v6H5zM5 14h14v6H5zM8 7h.01M8 17h.01',
  docs: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h7',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  search: 'M11 18a7 7 0 1 0-.01 0M16 16l5 5',
  menu: 'M4 7h16M4 12h16M4 17h16',
  sun: 'M12 16a4 4 0 1 0-.01 0M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z',
  auto: 'M12 4a8 8 0 1 0 .01 0M12 4v16',
  out: 'M10 4H4v16h6M15 8l4 4-4 4M19 12H9',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  info: 'M12 3a9 9 0 1 0 .01 0M12 11v5M12 8h.01',
  key: 'M8 18a4 4 0 1 0-.01 0M11 11l9-9M16 6l3 3',
  phone: 'M7 3h10v18H7zM11 18h2',
  offline: 'M4 4l16 16M8.5 15.5a5 5 0 0 1 7 0M5 12a10 10 0 0 1 4-2.4M19 12a10 10 0 0 0-6-2.9M12 19h.01',
  play: 'M8 5l11 7-11 7z',
  pause: 'M8 5v14M16 5v14',
  stop: 'M6 6h12v12H6z',
  retry: 'M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  send: 'M4 12l16-8-6 16-3-6z',
  back: 'M15 5l-7 7 7 7',
  filter: 'M4 5h16l-6 8v6l-4-2v-4z',
  clock: 'M12 3a9 9 0 1 0 .01 0M12 7v5l3 2',
} as const;

export type IconName = keyof typeof OUTLINES;

export function Icon({ name, size }: { name: IconName; size?: number }) {
  return <Outline path={OUTLINES[name]} size={size} />;
}

/** A line drawing on a field of 24 x 24. A page that has pictures of its own draws them with this. */
export function Outline({ path, size = 18 }: { path: string; size?: number | undefined }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={path} />
    </svg>
  );
}
