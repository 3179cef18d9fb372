import type { BinaryNode } from '@whiskeysockets/baileys';
import type { AnswerFault } from '../faults/fault.ts';
import type { DeviceAddress } from '../ports.ts';
import { answerIq } from './iq/router.ts';
import { routeMessage } from './routing/messages.ts';
import { routeReceipt } from './routing/receipts.ts';
import { routeCall, routeChatState, routePresence } from './routing/signals.ts';
import { attributes, node, unixSeconds } from './stanzas.ts';
import type { World } from './world.ts';

export type Reply = (stanza: BinaryNode) => void;

/** What a device sends, whether it came through a socket or a function call: routed, and answered as the fault engine allows. */
export class Exchange {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  submit(from: DeviceAddress, stanza: BinaryNode, reply: Reply): void {
    const { world } = this;
    switch (stanza.tag) {
      case 'message':
        this.submitMessage(from, stanza, reply);
        return;
      case 'receipt':
        routeReceipt(from, stanza, world);
        reply(ackOf(stanza));
        return;
      case 'ack':
        world.post.mailbox(from).acknowledged(stanza);
        return;
      case 'presence':
        routePresence(from, stanza, world);
        return;
      case 'chatstate':
        routeChatState(from, stanza, world);
        return;
      case 'call':
        routeCall(from, stanza, world);
        reply(ackOf(stanza));
        return;
    }
  }

  /** Answers an iq, unless a fault swallows the answer. */
  query(from: DeviceAddress, iq: BinaryNode, reply: Reply): void {
    const fault = this.world.faults.atAnswer(from, iq);
    if (fault?.type === 'iq-timeout') return;
    if (fault?.type === 'iq-error') {
      reply(iqErrorOf(iq, fault));
      return;
    }
    const afterwards: (() => void)[] = [];
    reply(answerIq({ from, iq, afterwards: (then) => afterwards.push(then) }, this.world));
    for (const then of afterwards) then();
  }

  private submitMessage(from: DeviceAddress, stanza: BinaryNode, reply: Reply): void {
    const { id = '', to = '', participant, device_fanout: fanOut } = stanza.attrs;
    const { messages } = this.world.witness;
    messages.submitted(from, id, to, participant !== undefined || fanOut === 'false');
    const fault = this.world.faults.atAnswer(from, stanza);
    const error = fault?.type === 'nack' ? String(fault.code) : routeMessage(from, stanza, this.world)?.error;
    const answer = (): void => {
      messages.answered(id, error);
      reply(ackOf(stanza, error));
    };
    if (fault?.type === 'lose-ack') return;
    if (fault?.type === 'slow-ack') setTimeout(answer, fault.ms).unref();
    else answer();
  }
}

function ackOf(stanza: BinaryNode, error?: string): BinaryNode {
  const { id, to, type, participant } = stanza.attrs;
  const isMessage = stanza.tag === 'message';
  return node(
    'ack',
    attributes({
      class: stanza.tag,
      id,
      from: to,
      participant,
      ...(isMessage ? { t: unixSeconds() } : { type }),
      error,
    }),
  );
}

function iqErrorOf({ attrs }: BinaryNode, fault: AnswerFault & { type: 'iq-error' }): BinaryNode {
  const error = node('error', { code: String(fault.code), text: fault.text ?? 'simulated-error' });
  return node('iq', attributes({ from: attrs.to, id: attrs.id, type: 'error' }), [error]);
}
