import { node } from '../stanzas.ts';
import type { IqHandler } from './handler.ts';

const maxUploadBytes = 100 * 1024 * 1024;

export const answerMediaConnection: IqHandler = ({ from }, world) => {
  const auth = world.random.bytes(`media auth ${from.pn}:${from.device}`, 24).toString('base64url');
  const host = { hostname: world.mediaHost(), type: 'primary', maxContentLengthBytes: String(maxUploadBytes) };
  return [node('media_conn', { auth, ttl: '300', auth_ttl: '21600', max_buckets: '12' }, [node('host', host)])];
};
