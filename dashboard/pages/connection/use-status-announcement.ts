import { useEffect, useRef } from 'preact/hooks';
import type { Connection } from '../../../lib/contracts/entities.ts';
import { nameOf } from '../../api/connections-store.ts';
import { announce } from '../../components/announcer.tsx';
import { statusWords } from '../../components/status-words.ts';

/** Tells a screen reader when the status changes while the page is open. */
export function useStatusAnnouncement(connection: Connection): void {
  const { status, statusReason } = connection;
  const former = useRef(status);
  useEffect(() => {
    if (former.current === status) return;
    former.current = status;
    announce(`${nameOf(connection)}: ${statusWords(status).label}. ${statusReason ?? ''}`.trim());
  }, [status]);
}
