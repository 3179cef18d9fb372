import type { ComponentType } from 'preact';
import type { IconName } from './components/icon.tsx';
import { ClusterPage } from './pages/cluster/cluster.page.tsx';
import { ConnectionPage } from './pages/connection/connection.page.tsx';
import { ConnectionNewPage } from './pages/connection-new/connection-new.page.tsx';
import { ConnectionsPage } from './pages/connections/connections.page.tsx';
import { ConversationsPage } from './pages/conversations/conversations.page.tsx';
import { EventsPage } from './pages/events/events.page.tsx';
import { FirstRunPage } from './pages/first-run/first-run.page.tsx';
import { UserPage } from './pages/user/user.page.tsx';
import { UsersPage } from './pages/users/users.page.tsx';
import { WebhookPage } from './pages/webhook/webhook.page.tsx';
import { WebhooksPage } from './pages/webhooks/webhooks.page.tsx';
import type { PageArguments } from './routing/router.ts';

export interface Route {
  /** `/connections/:connectionId`; the first that fits wins */
  path: string;
  page: ComponentType<PageArguments>;
  /** only an admin may see it */
  admin?: boolean;
}

/** Every page and its address. A page's code is in `pages/<name>/<name>.page.tsx`. */
export const ROUTES: readonly Route[] = [
  { path: '/', page: ConnectionsPage },
  { path: '/first-run', page: FirstRunPage },
  { path: '/connections', page: ConnectionsPage },
  { path: '/connections/new', page: ConnectionNewPage },
  { path: '/connections/:connectionId', page: ConnectionPage },
  { path: '/conversations', page: ConversationsPage },
  { path: '/webhooks', page: WebhooksPage },
  { path: '/webhooks/:webhookId', page: WebhookPage },
  { path: '/events', page: EventsPage },
  { path: '/cluster', page: ClusterPage, admin: true },
  { path: '/users', page: UsersPage, admin: true },
  { path: '/users/:userId', page: UserPage, admin: true },
];

export interface NavigationItem {
  href: string;
  label: string;
  icon: IconName;
  admin?: boolean;
}

/** What the sidebar shows, in this order. */
export const NAVIGATION: readonly NavigationItem[] = [
  { href: '/connections', label: 'Connections', icon: 'link' },
  { href: '/conversations', label: 'Conversations', icon: 'chat' },
  { href: '/webhooks', label: 'Webhooks', icon: 'webhook' },
  { href: '/events', label: 'Events', icon: 'events' },
  { href: '/cluster', label: 'Cluster', icon: 'cluster', admin: true },
  { href: '/users', label: 'Users and keys', icon: 'users', admin: true },
];
