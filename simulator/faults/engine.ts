import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../ports.ts';
import {
  type AnswerFault,
  type ArmedRule,
  type DeliveryFault,
  type Fault,
  type FaultMatch,
  type FaultRule,
  isAnswerFault,
  isDeliveryFault,
  isLoginFault,
  isOfflineFault,
  isSocketFault,
  isUpgradeFault,
  type LoginFault,
  type SocketFault,
  type UpgradeFault,
} from './fault.ts';

export interface FaultSubject {
  device?: DeviceAddress;
  stanza?: BinaryNode;
}

/** Strikes open sockets; returns how many it hit. */
export type Striker = (fault: SocketFault, match: FaultMatch) => number;

interface Waiting extends ArmedRule {
  armed: boolean;
}

/** Keeps the rules and says, at each moment, which fault strikes. The first rule that matches wins. */
export class FaultEngine {
  private readonly rules = new Map<string, Waiting>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly draw: () => number;
  private strike: Striker = () => 0;
  private nextId = 1;

  /** @param draw the next number in [0, 1), for probabilities */
  constructor(draw: () => number) {
    this.draw = draw;
  }

  strikeWith(striker: Striker): void {
    this.strike = striker;
  }

  /** Sets one rule; a socket fault without a moment of its own strikes at once and is not kept. */
  set(rule: FaultRule): ArmedRule {
    const waiting: Waiting = { ...rule, id: `fault-${this.nextId++}`, matched: 0, struck: 0, armed: !rule.afterMs };
    const strikesNow = isSocketFault(rule.fault) && (rule.on ?? 'now') === 'now';
    if (strikesNow && !rule.afterMs) {
      this.strikeNow(waiting);
      return visible(waiting);
    }
    this.rules.set(waiting.id, waiting);
    if (rule.afterMs) this.arm(waiting, strikesNow, rule.afterMs);
    return visible(waiting);
  }

  /** A script: all rules at once, in order. */
  run(script: FaultRule[]): ArmedRule[] {
    return script.map((rule) => this.set(rule));
  }

  clear(id?: string): number {
    const ids = id === undefined ? [...this.rules.keys()] : this.rules.has(id) ? [id] : [];
    for (const name of ids) {
      this.rules.delete(name);
      clearTimeout(this.timers.get(name));
      this.timers.delete(name);
    }
    return ids.length;
  }

  list(): ArmedRule[] {
    return [...this.rules.values()].map(visible);
  }

  atUpgrade(): UpgradeFault | undefined {
    return this.find({}, isUpgradeFault);
  }

  atLogin(device: DeviceAddress): LoginFault | undefined {
    return this.find({ device }, isLoginFault);
  }

  atOffline(device: DeviceAddress): boolean {
    return this.find({ device }, isOfflineFault) !== undefined;
  }

  atAnswer(device: DeviceAddress, stanza: BinaryNode): AnswerFault | undefined {
    const isIq = stanza.tag === 'iq';
    if (!isIq && stanza.tag !== 'message') return undefined;
    const isKind = (fault: Fault): fault is AnswerFault =>
      isAnswerFault(fault) && fault.type.startsWith('iq-') === isIq;
    return this.find({ device, stanza }, isKind);
  }

  atDelivery(device: DeviceAddress, stanza: BinaryNode): DeliveryFault | undefined {
    return this.find({ device, stanza }, isDeliveryFault);
  }

  atSocket(on: 'login' | 'stanza-in' | 'stanza-out', subject: FaultSubject): SocketFault | undefined {
    return this.find(subject, isSocketFault, on);
  }

  private find<F extends Fault>(
    subject: FaultSubject,
    isKind: (fault: Fault) => fault is F,
    on?: FaultRule['on'],
  ): F | undefined {
    if (this.rules.size === 0) return undefined;
    for (const rule of this.rules.values()) {
      const { fault } = rule;
      if (!rule.armed || !isKind(fault) || (on !== undefined && rule.on !== on)) continue;
      if (matches(rule.match, subject) && this.isDue(rule)) return fault;
    }
    return undefined;
  }

  private isDue(rule: Waiting): boolean {
    if (rule.times !== undefined && rule.struck >= rule.times) return false;
    rule.matched++;
    if (rule.matched <= (rule.skip ?? 0)) return false;
    if (rule.probability !== undefined && this.draw() >= rule.probability) return false;
    rule.struck++;
    return true;
  }

  private arm(rule: Waiting, strikesNow: boolean, afterMs: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(rule.id);
      rule.armed = true;
      if (!strikesNow) return;
      this.rules.delete(rule.id);
      this.strikeNow(rule);
    }, afterMs);
    this.timers.set(rule.id, timer.unref());
  }

  private strikeNow(rule: Waiting): void {
    if (!isSocketFault(rule.fault)) return;
    rule.struck = this.strike(rule.fault, rule.match ?? {});
    rule.matched = rule.struck;
  }
}

const visible = ({ armed: _, ...rule }: Waiting): ArmedRule => ({ ...rule });

/** Whether the rule is about this subject. */
export function matches(match: FaultMatch | undefined, { device, stanza }: FaultSubject): boolean {
  if (!match) return true;
  const { attrs } = stanza ?? { attrs: {} as Record<string, string> };
  const [first] = Array.isArray(stanza?.content) ? stanza.content : [];
  return (
    (match.pn === undefined || match.pn === device?.pn) &&
    (match.device === undefined || match.device === device?.device) &&
    (match.tag === undefined || match.tag === stanza?.tag) &&
    (match.xmlns === undefined || match.xmlns === attrs.xmlns) &&
    (match.type === undefined || match.type === attrs.type) &&
    (match.id === undefined || match.id === attrs.id) &&
    (match.peer === undefined || match.peer === attrs.to || match.peer === attrs.from) &&
    (match.child === undefined || match.child === first?.tag)
  );
}
