import { IqError } from '../iq-error.ts';
import { child, node } from '../stanzas.ts';
import type { IqHandler } from './handler.ts';

/** Persisted GraphQL queries, by id: account standing and the cap on new chats. No account is restricted. */
const answers: Record<string, unknown> = {
  '23983697327930364': { xwa2_fetch_account_reachout_timelock: { is_active: false, time_enforcement_ends: '0' } },
  '24503548349331633': {
    xwa2_message_capping_info: {
      total_quota: '100',
      used_quota: '0',
      capping_status: 'NONE',
      ote_status: 'NOT_ELIGIBLE',
    },
  },
};

export const answerMex: IqHandler = ({ iq }) => {
  const id = child(iq, 'query')?.attrs.query_id;
  const data = id !== undefined && Object.hasOwn(answers, id) ? answers[id] : undefined;
  if (!data) throw new IqError(501, 'feature-not-implemented');
  return [node('result', {}, Buffer.from(JSON.stringify({ data })))];
};
