import { proto } from '@whiskeysockets/baileys';
import type { AppStateKeys } from './app-state-keys.ts';
import { historyNotification, type PhoneHistory } from './history.ts';
import type { MediaStore } from './media.ts';

type Request = proto.Message.IPeerDataOperationRequestMessage;

export interface PhoneStores {
  history: PhoneHistory;
  appStateKeys: AppStateKeys;
  media: MediaStore;
}

const types = proto.Message.ProtocolMessage.Type;
const requests = proto.Message.PeerDataOperationRequestType;

/** What a phone answers to a message of its companion; nothing where it has nothing to say. */
export async function answerPeer(
  stores: PhoneStores,
  requestId: string,
  content: proto.IMessage,
): Promise<proto.IMessage[]> {
  const message = content.protocolMessage;
  if (message?.type === types.APP_STATE_SYNC_KEY_REQUEST) {
    return [stores.appStateKeys.share(message.appStateSyncKeyRequest?.keyIds ?? [])];
  }
  const request = message?.peerDataOperationRequestMessage;
  if (message?.type !== types.PEER_DATA_OPERATION_REQUEST_MESSAGE || !request) return [];
  switch (request.peerDataOperationRequestType) {
    case requests.PLACEHOLDER_MESSAGE_RESEND:
      return [placeholderAnswer(stores.history, requestId, request)];
    case requests.HISTORY_SYNC_ON_DEMAND: {
      const sync = stores.history.onDemand(request.historySyncOnDemandRequest ?? {});
      return [await historyNotification(stores.media, sync, 1, requestId)];
    }
    default:
      return [];
  }
}

function placeholderAnswer(history: PhoneHistory, stanzaId: string, request: Request): proto.IMessage {
  const peerDataOperationResult = (request.placeholderMessageResendRequest ?? []).flatMap(({ messageKey }) => {
    const known = history.find(messageKey);
    if (!known) return [];
    return [{ placeholderMessageResendResponse: { webMessageInfoBytes: proto.WebMessageInfo.encode(known).finish() } }];
  });
  const peerDataOperationRequestResponseMessage = {
    peerDataOperationRequestType: requests.PLACEHOLDER_MESSAGE_RESEND,
    stanzaId,
    peerDataOperationResult,
  };
  const type = types.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE;
  return { protocolMessage: { type, peerDataOperationRequestResponseMessage } };
}
