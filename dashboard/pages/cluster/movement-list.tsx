import { connectionName } from '../../api/connections-store.ts';
import { Badge, type Tone } from '../../components/badge.tsx';
import { Card } from '../../components/card.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';
import { movements } from './movement-store.ts';
import type { Movement } from './placement-state.ts';

const WORDS: Record<Movement['kind'], { label: string; tone: Tone }> = {
  move: { label: 'Moved', tone: 'info' },
  takeover: { label: 'Taken over', tone: 'warn' },
  up: { label: 'Connected', tone: 'ok' },
  down: { label: 'Left', tone: 'idle' },
};

const SHOWN = 50;

/** Moves and takeovers as they happen, newest first. */
export function MovementList() {
  return (
    <Card title="As it happens">
      {movements.value.length === 0 ? (
        <p class="muted">
          Moves between nodes, takeovers, and connections that go and come back appear here from now on.
        </p>
      ) : (
        <ol class="timeline" aria-label="Moves and takeovers, newest first">
          {movements.value.slice(0, SHOWN).map((movement) => (
            <li key={movement.eventId} class="movement">
              <Badge tone={WORDS[movement.kind].tone}>{WORDS[movement.kind].label}</Badge>
              <div>
                <p>
                  <Link href={`/connections/${movement.connectionId}`}>
                    <bdi>{connectionName(movement.connectionId)}</bdi>
                  </Link>{' '}
                  <span class="small muted">
                    <Time at={movement.at} />
                  </span>
                </p>
                <p class="small">{movement.text}</p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
