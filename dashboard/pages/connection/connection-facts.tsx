import type { ComponentChildren } from 'preact';
import type { Connection, DeviceInfo } from '../../../lib/contracts/entities.ts';
import { phoneNumber } from '../../api/connections-store.ts';
import { isAdmin } from '../../api/session.ts';
import { Card } from '../../components/card.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Time } from '../../components/time.tsx';
import { Link } from '../../routing/link.tsx';

/** Who, where, since when. */
export function ConnectionFacts({ connection }: { connection: Connection }) {
  const { connectionId, me, worker, userId, deviceInfo, metadata, createdAt, updatedAt } = connection;
  return (
    <Card title="Facts">
      <dl class="facts">
        <Fact term="Account">{me?.pn ? phoneNumber(me.pn) : 'Not paired yet'}</Fact>
        {me?.name && <Fact term="Name on WhatsApp">{me.name}</Fact>}
        <Fact term="Runs on">
          {worker ? (
            <>
              <span class="mono">{worker.nodeId}</span>, epoch {worker.epoch}
            </>
          ) : (
            'nowhere at the moment'
          )}
        </Fact>
        <Fact term="Owner">
          {isAdmin() ? <Link href={`/users/${encodeURIComponent(userId)}`}>{userId}</Link> : userId}
        </Fact>
        {deviceInfo && <Fact term="Shown on the phone as">{deviceText(deviceInfo)}</Fact>}
        <Fact term="Created">
          <Time at={createdAt} absolute />
        </Fact>
        <Fact term="Last change">
          <Time at={updatedAt} />
        </Fact>
        <Fact term="Id">
          <span class="row">
            <code>{connectionId}</code>
            <CopyButton text={connectionId} label="Copy the id" />
          </span>
        </Fact>
        {metadata && <Fact term="Metadata">{<code>{JSON.stringify(metadata)}</code>}</Fact>}
      </dl>
    </Card>
  );
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function deviceText(info: DeviceInfo): string {
  if (typeof info === 'string') return info;
  return [info.browser, info.os, info.version].filter(Boolean).join(' · ') || 'the default';
}
