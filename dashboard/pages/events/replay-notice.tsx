import { Button } from '../../components/button.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Notice } from '../../components/notice.tsx';
import { fullTime } from '../../components/time.tsx';
import { continueReplay, endReplay, replay } from './event-replay.ts';

/** What is shown is the log read again: how far it is, and the way back. */
export function ReplayNotice() {
  const now = replay.value;
  if (now === null) return null;
  if (now.state === 'failed') {
    return <ErrorNotice error={now.error} title="The log could not be read on" onRetry={continueReplay} />;
  }
  const from = now.from === null ? 'from its beginning' : `from ${fullTime(now.from.event.occurredAt)}`;
  return (
    <Notice
      title={`The log ${from}`}
      actions={
        <>
          {now.state === 'waiting' && <Button onClick={continueReplay}>Read on</Button>}
          <Button onClick={endReplay}>Stop</Button>
        </>
      }
    >
      <span role="status">
        {now.count} events read{now.state === 'reading' ? '…' : '; there are more.'}
      </span>
    </Notice>
  );
}
