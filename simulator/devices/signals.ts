import type { DeviceCore } from './device-core.ts';
import { toJid } from './jids.ts';
import { node } from './nodes.ts';

export type ChatState = 'composing' | 'recording' | 'paused';

/** What a person shows without writing. */
export interface Signals {
  typing(to: string, state?: ChatState): Promise<void>;
  presence(type: 'available' | 'unavailable'): void;
  /** From now on the presence of this account is told. */
  subscribe(to: string): Promise<void>;
  /** Rings; returns the call's id. */
  call(to: string, options?: { video?: boolean }): Promise<string>;
  /** Hangs up what was ringing. */
  endCall(to: string, callId: string): Promise<void>;
}

export function signalsOf(core: DeviceCore, name: string | undefined): Signals {
  const canonical = (to: string): Promise<string> => core.directory.canonical(toJid(to));
  const callStanza = async (to: string, tag: string, callId: string, video = false): Promise<void> => {
    const info = node(tag, { 'call-id': callId, 'call-creator': core.jid }, video ? [node('video')] : []);
    core.submit(node('call', { id: core.newMessageId(), to: await canonical(to) }, [info]));
  };
  return {
    async typing(to, state = 'composing') {
      const shown = state === 'recording' ? node('composing', { media: 'audio' }) : node(state);
      core.submit(node('chatstate', { from: core.jid, to: await canonical(to) }, [shown]));
    },
    presence(type) {
      core.submit(node('presence', { type, ...(name ? { name } : {}) }));
    },
    async subscribe(to) {
      core.submit(node('presence', { type: 'subscribe', to: await canonical(to) }));
    },
    async call(to, { video = false } = {}) {
      const callId = core.draw(16);
      await callStanza(to, 'offer', callId, video);
      return callId;
    },
    endCall: (to, callId) => callStanza(to, 'terminate', callId),
  };
}
