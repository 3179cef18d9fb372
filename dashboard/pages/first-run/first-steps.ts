import type { CurlCall } from '../../components/curl-line.ts';

export interface Done {
  created: boolean;
  paired: boolean;
  sent: boolean;
  received: boolean;
  webhook: boolean;
}

export interface Step {
  title: string;
  text: string;
  done: boolean;
  action: { label: string; href: string } | null;
  curl: CurlCall[];
}

/**
 * @param connectionId of the connection to go on with; null = none yet
 * @param forAdmin an admin's calls name the user whose connection it is
 */
export function firstSteps(done: Done, connectionId: string | null, forAdmin: boolean): Step[] {
  const id = connectionId ?? 'CONNECTION_ID';
  const here = connectionId === null ? null : `/connections/${connectionId}`;
  const createUser: CurlCall = {
    title: 'A connection belongs to a user; its id comes back',
    method: 'POST',
    path: '/user/create',
    body: { username: 'me', email: 'me@example.org' },
  };
  return [
    {
      title: 'Create a connection',
      text: 'One connection is one WhatsApp account. Any phone with WhatsApp will do.',
      done: done.created,
      action: { label: 'New connection', href: '/connections/new' },
      curl: [
        ...(forAdmin ? [createUser] : []),
        {
          title: 'The connection',
          method: 'POST',
          path: '/connection/create',
          body: { ...(forAdmin && { userId: 'USER_ID' }), name: 'My first connection' },
        },
      ],
    },
    {
      title: 'Link the phone',
      text: 'Scan the QR code under Settings, Linked devices, or type a pairing code there.',
      done: done.paired,
      action: here ? { label: 'Show the code', href: here } : null,
      curl: [{ title: 'The QR code in the terminal', path: `/connection/${id}/auth/qr.txt` }],
    },
    {
      title: 'Send a message',
      text: 'To any number with its country code. Without a number it goes to the account itself.',
      done: done.sent,
      action: here && done.paired ? { label: 'Write one', href: `/conversations?connection=${id}` } : null,
      curl: [
        {
          method: 'POST',
          path: '/message/send',
          body: { connectionId: id, to: '15551234567', content: 'Hello', wait: 'sent' },
        },
      ],
    },
    {
      title: 'Read the answer',
      text: 'It appears in the conversation as soon as it arrives, and in the event stream.',
      done: done.received,
      action: here && done.paired ? { label: 'Conversations', href: `/conversations?connection=${id}` } : null,
      curl: [{ title: 'Follow what happens', path: '/event/stream' }],
    },
    {
      title: 'Have it pushed to your program',
      text: 'A webhook gets every message that arrives, signed, and is retried for a day.',
      done: done.webhook,
      action: { label: 'Webhooks', href: '/webhooks' },
      curl: [
        {
          method: 'POST',
          path: '/webhook/create',
          body: { url: 'https://example.org/hook', eventTypes: ['message.received'] },
        },
      ],
    },
  ];
}
