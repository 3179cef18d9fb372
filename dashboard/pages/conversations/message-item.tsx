import type { Message } from '../../../lib/contracts/entities.ts';
import { fullTime } from '../../components/time.tsx';
import { viewOf } from './content-view.ts';
import { type FollowUps, followUpKey, partyName, reactionsTo } from './follow-up-state.ts';
import { MediaIcon } from './media-icon.tsx';
import { MessageProblem } from './message-problem.tsx';
import { MessageText } from './message-text.tsx';
import { TickMark } from './tick-mark.tsx';

const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

interface MessageItemProps {
  message: Message;
  followUps: FollowUps;
  onSendAgain: (message: Message) => void;
}

/** One message of a thread, with everything that happened to it since. */
export function MessageItem({ message, followUps, onSendAgain }: MessageItemProps) {
  const outbound = message.direction === 'outbound';
  const isGroup = message.chatId.endsWith('@g.us');
  const key = followUpKey(message);
  const revoked = followUps.revoked.get(key);
  return (
    <li class={`message ${outbound ? 'is-out' : 'is-in'}`} data-message-id={message.messageId}>
      <div class={revoked ? 'bubble is-revoked' : 'bubble'}>
        <p class={isGroup && !outbound ? 'message-author' : 'sr-only'}>
          <bdi>{outbound ? 'You' : partyName(message.from)}</bdi>
        </p>
        {revoked && (
          <p class="message-note">
            Deleted by <bdi>{revoked.by}</bdi>; Castellan keeps what arrived.
          </p>
        )}
        <Content message={message} />
        <p class="message-meta">
          {outbound && message.source === 'phone' && <span>from the phone</span>}
          {followUps.edited.has(key) && <span>edited</span>}
          <time dateTime={message.timestamp} title={fullTime(message.timestamp)}>
            {clock.format(new Date(message.timestamp))}
          </time>
          {outbound && <TickMark status={message.status} />}
        </p>
      </div>
      <Reactions followUps={followUps} message={message} />
      {outbound && <MessageProblem message={message} onSendAgain={onSendAgain} />}
    </li>
  );
}

function Content({ message }: { message: Message }) {
  const view = viewOf(message.content);
  if (view.kind === 'text') return <MessageText text={view.text} />;
  return (
    <>
      <p class="message-media">
        <MediaIcon media={view.media} />
        {view.label}
      </p>
      {view.caption && <MessageText text={view.caption} />}
    </>
  );
}

function Reactions({ followUps, message }: Pick<MessageItemProps, 'followUps' | 'message'>) {
  const counts = reactionsTo(followUps, message);
  if (counts.length === 0) return null;
  return (
    <ul class="reactions" aria-label="Reactions">
      {counts.map(({ emoji, names }) => (
        <li key={emoji} title={names.join(', ')}>
          {emoji} {names.length > 1 && names.length}
          <span class="sr-only">by {names.join(', ')}</span>
        </li>
      ))}
    </ul>
  );
}
