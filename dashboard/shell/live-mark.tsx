import { useSignal, useSignalEffect } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { retryStream, type StreamState, streamState } from '../api/event-stream.ts';
import { announce } from '../components/announcer.tsx';
import { Badge, type Tone } from '../components/badge.tsx';
import { Button } from '../components/button.tsx';
import { Notice } from '../components/notice.tsx';

const WORDS: Record<StreamState, { label: string; tone: Tone }> = {
  connecting: { label: 'Connecting', tone: 'info' },
  live: { label: 'Live', tone: 'ok' },
  lost: { label: 'Offline', tone: 'bad' },
};

/** Whether what is shown is up to date by itself. */
export function LiveMark() {
  const { label, tone } = WORDS[streamState.value];
  return (
    <Badge tone={tone} busy={streamState.value === 'connecting'}>
      {label}
    </Badge>
  );
}

/** A restart of the server takes a second or two; a banner that flickers then would only alarm. */
const PATIENCE_MS = 1_200;

/** Above the page while Castellan does not answer. */
export function OfflineBanner() {
  const shown = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useSignalEffect(() => {
    clearTimeout(timer.current);
    if (streamState.value === 'lost') {
      timer.current = setTimeout(() => {
        shown.value = true;
      }, PATIENCE_MS);
    } else if (shown.peek() && streamState.value === 'live') {
      shown.value = false;
      announce('Castellan is there again.');
    }
  });
  if (!shown.value) return null;
  return (
    <div class="offline">
      <Notice
        tone="warn"
        urgent
        title="Castellan does not answer"
        actions={
          <Button small icon="retry" onClick={retryStream}>
            Try now
          </Button>
        }
      >
        What you see may be old. The page comes back by itself.
      </Notice>
    </div>
  );
}
