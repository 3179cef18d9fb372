import { useEffect } from 'preact/hooks';
import type { Page as ApiPage, Message, Webhook } from '../../../lib/contracts/entities.ts';
import { get } from '../../api/client.ts';
import { connections, loadConnections } from '../../api/connections-store.ts';
import { isAdmin } from '../../api/session.ts';
import { useEvents } from '../../api/use-events.ts';
import { useResource } from '../../api/use-resource.ts';
import { Card } from '../../components/card.tsx';
import { Page } from '../../components/page.tsx';
import type { PageArguments } from '../../routing/router.ts';
import { FirstStep } from './first-step.tsx';
import { type Done, firstSteps } from './first-steps.ts';
import './first-run.css';

/** What to do next in a system where nothing is yet: the way to the first answered message, each step also as curl. */
export function FirstRunPage(_: PageArguments) {
  useEffect(() => void loadConnections(), []);
  const rows = connections.value ?? [];
  const first = rows.find(({ status }) => status === 'open') ?? rows[0];
  const used = useResource((signal) => whatIsUsed(first?.connectionId, signal), [first?.connectionId]);
  useEvents(['message.sent', 'message.received'], () => void used.reload());
  const done: Done = {
    created: rows.length > 0,
    paired: rows.some(({ me }) => me !== null),
    sent: used.data.value?.sent ?? false,
    received: used.data.value?.received ?? false,
    webhook: used.data.value?.webhook ?? false,
  };
  const steps = firstSteps(done, first?.connectionId ?? null, isAdmin());
  const next = steps.findIndex((step) => !step.done);
  return (
    <Page
      title={rows.length === 0 ? 'Welcome to Castellan' : 'First steps'}
      lead="From nothing to the first answered message. Each step works here and from a shell."
      curl={[
        { title: 'Is it well?', path: '//health/ready' },
        { title: 'Everything that the API can do', path: '//openapi.json' },
      ]}
    >
      <ol class="stack first-steps">
        {steps.map((step, index) => (
          <li key={step.title}>
            <Card>
              <FirstStep step={step} number={index + 1} isNext={index === next} />
            </Card>
          </li>
        ))}
      </ol>
    </Page>
  );
}

async function whatIsUsed(
  connectionId: string | undefined,
  signal: AbortSignal,
): Promise<Pick<Done, 'sent' | 'received' | 'webhook'>> {
  const hasSome = async (direction: Message['direction']) => {
    if (connectionId === undefined) return false;
    const { items } = await get<ApiPage<Message>>('/message/list', { connectionId, direction, limit: 1 }, signal);
    return items.length > 0;
  };
  const webhooks = get<ApiPage<Webhook>>('/webhook/list', { limit: 1 }, signal);
  const [sent, received] = await Promise.all([hasSome('outbound'), hasSome('inbound')]);
  return { sent, received, webhook: (await webhooks).items.length > 0 };
}
