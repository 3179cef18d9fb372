import { node } from '../stanzas.ts';
import type { IqHandler } from './handler.ts';

/** Server properties that clients act upon: privacy tokens on 1:1 messages and on picture queries, issued to the PN. */
const props: [code: string, value: string][] = [
  ['10518', 'true'],
  ['9666', 'true'],
  ['14303', 'false'],
];

export const answerProps: IqHandler = () => [
  node(
    'props',
    { protocol: '1', ab_key: 'simulator', hash: '1AZrqK', refresh: '86400', refresh_id: '1' },
    props.map(([code, value]) => node('prop', { config_code: code, config_value: value })),
  ),
];
