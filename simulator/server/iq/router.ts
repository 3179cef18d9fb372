import type { BinaryNode } from '@whiskeysockets/baileys';
import { isGroup } from '../../devices/jids.ts';
import { IqError } from '../iq-error.ts';
import { attributes, node } from '../stanzas.ts';
import type { World } from '../world.ts';
import { answerAccountState, answerBlocklist, answerPrivacy, answerPrivacyTokens } from './account.ts';
import { answerAppState } from './app-state.ts';
import { answerCompanions } from './companions.ts';
import { answerEncrypt } from './encrypt.ts';
import { answerGroups } from './groups.ts';
import type { IqHandler, IqRequest } from './handler.ts';
import { answerMediaConnection } from './media.ts';
import { answerMex } from './mex.ts';
import { answerPicture } from './pictures.ts';
import { answerProps } from './props.ts';
import { answerUsync } from './usync.ts';

const nothing: IqHandler = () => [];

const handlers: Record<string, IqHandler> = {
  'w:p': nothing, // the client's keep-alive
  'urn:xmpp:ping': nothing,
  'w:stats': nothing,
  passive: nothing, // the session itself reacts to `active`
  tos: nothing,
  'urn:xmpp:whatsapp:dirty': nothing,
  'urn:xmpp:whatsapp:push': nothing,
  'urn:xmpp:whatsapp:account': nothing,
  abt: answerProps,
  w: answerProps,
  encrypt: answerEncrypt,
  usync: answerUsync,
  privacy: (request, world) =>
    Array.isArray(request.iq.content) && request.iq.content.some(({ tag }) => tag === 'tokens')
      ? answerPrivacyTokens(request, world)
      : answerPrivacy(request, world),
  blocklist: answerBlocklist,
  status: answerAccountState,
  disappearing_mode: answerAccountState,
  bot: () => [node('bot', { v: '2' }, [])],
  'w:biz': () => [node('business_profile', { v: '244' }, [])],
  'w:m': answerMediaConnection,
  'w:profile:picture': answerPicture,
  'w:sync:app:state': answerAppState,
  'w:g2': answerGroups,
  'w:mex': answerMex,
  md: answerCompanions,
};

/** Answers an iq: `type="result"`, or `type="error"` with code and text, from where it was sent to. */
export function answerIq(request: IqRequest, world: World): BinaryNode {
  const { id, to, xmlns, type } = request.iq.attrs;
  const from = to || '@s.whatsapp.net';
  try {
    if (!id) throw new IqError(400, 'bad-request');
    if (type !== 'get' && type !== 'set') throw new IqError(400, 'bad-request');
    // some clients leave the namespace of a bare ping out
    const name = xmlns ?? (Array.isArray(request.iq.content) && request.iq.content.length > 0 ? '' : 'w:p');
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    if (!handler || (to && isGroup(to) && name !== 'w:g2')) throw new IqError(501, 'feature-not-implemented');
    const content = handler(request, world);
    return node('iq', attributes({ from, id, type: 'result' }), content.length > 0 ? content : undefined);
  } catch (error) {
    const failure = error instanceof IqError ? error : new IqError(500, 'internal-server-error');
    return node('iq', attributes({ from, id, type: 'error' }), [failure.toNode()]);
  }
}
