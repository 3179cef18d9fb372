import { useSignal } from '@preact/signals';
import type { Delivery, DeliveryAttempt } from '../../../lib/contracts/entities.ts';
import { post } from '../../api/client.ts';
import { useAction } from '../../api/use-action.ts';
import { notify } from '../../components/announcer.tsx';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Time } from '../../components/time.tsx';
import { adviceForAttempt, type DeliveryWords, wordsFor } from './delivery-state.ts';

const TONES: Record<DeliveryWords['tone'], Tone> = { good: 'ok', bad: 'bad', busy: 'info' };

interface DeliveryItemProps {
  delivery: Delivery;
  /** the webhook is on: only then something can be delivered again */
  canRedeliver: boolean;
  onChange: () => void;
}

/** One delivery: what became of it, every attempt, when the next one comes. */
export function DeliveryItem({ delivery, canRedeliver, onChange }: DeliveryItemProps) {
  const open = useSignal(false);
  const { deliveryId, webhookId, eventType, eventId, status, attempts, nextAttemptAt, createdAt } = delivery;
  const redeliver = useAction(async () => {
    await post(`/webhook/${webhookId}/deliveries/${deliveryId}/redeliver`);
    notify('It is delivered once more.');
    onChange();
  });
  const words = wordsFor(delivery);
  const last = attempts.at(-1);
  return (
    <li class="delivery" data-delivery-id={deliveryId}>
      <div class="delivery-line">
        <Badge tone={TONES[words.tone]} busy={words.tone === 'busy'}>
          {words.label}
        </Badge>
        <code class="delivery-type">{eventType}</code>
        <span class="small muted">{last ? outcomeOf(last) : 'no attempt yet'}</span>
        <span class="small muted">
          <Time at={createdAt} />
        </span>
        <div class="row delivery-buttons">
          <Button
            kind="quiet"
            small
            aria-expanded={open.value}
            aria-controls={`attempts-${deliveryId}`}
            onClick={() => {
              open.value = !open.value;
            }}
          >
            {attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`}
          </Button>
          {status !== 'pending' && canRedeliver && (
            <Button small icon="retry" busy={redeliver.busy.value} onClick={() => void redeliver.run()}>
              Redeliver
            </Button>
          )}
        </div>
      </div>
      {nextAttemptAt !== null && (
        <p class="small muted">
          Next try <Time at={nextAttemptAt} />
        </p>
      )}
      <ErrorNotice error={redeliver.error.value} title="It was not delivered again" />
      {open.value && (
        <div id={`attempts-${deliveryId}`} class="delivery-attempts">
          <p class="small muted">
            Event <code>{eventId}</code>
          </p>
          {attempts.length === 0 ? <p class="small">Nothing was sent so far.</p> : <Attempts attempts={attempts} />}
        </div>
      )}
    </li>
  );
}

function Attempts({ attempts }: { attempts: readonly DeliveryAttempt[] }) {
  return (
    <ol class="timeline">
      {attempts.map((attempt, index) => {
        const advice = adviceForAttempt(attempt);
        return (
          <li key={`${attempt.at} ${index}`}>
            <span class="small muted">{index + 1}.</span>
            <div>
              <p class="small">
                {outcomeOf(attempt)} in {durationOf(attempt.durationMs)}, <Time at={attempt.at} absolute />
              </p>
              {attempt.error && <p class="small">{attempt.error}</p>}
              {advice && <p class="small muted">{advice}</p>}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function outcomeOf({ statusCode }: DeliveryAttempt): string {
  return statusCode === null ? 'No answer' : `HTTP ${statusCode}`;
}

function durationOf(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
