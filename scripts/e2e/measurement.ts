import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionHistoryEntry, Message } from '../../lib/contracts/entities.ts';
import type { Simulator } from '../../simulator/index.ts';
import { type Line, startTraffic, type Traffic } from '../chaos/traffic.ts';
import type { ApiClient } from '../harness/api-client.ts';
import { type Gap, gapsOf, type Spread, spreadOf } from './figures.ts';

export interface NodeRow {
  nodeId: string;
  connections: number;
  open: number;
  draining: boolean;
}

/** One second of the run. */
export interface TimelineRow {
  /** since the beginning of the step, seconds */
  second: number;
  /** as `GET /cluster/nodes` tells it; null = no answer within a second */
  nodes: Record<string, { sessions: number; open: number; draining: boolean }> | null;
  /** accounts whose companion is logged in, as WhatsApp sees it */
  openAtWhatsApp: number;
  /** what whoever drives the run did meanwhile */
  notes: string[];
}

/** A session that was away for long, and what its history says about it. */
export interface LongGap {
  connectionId: string;
  ms: number;
  /** ISO times of this machine */
  from: string;
  to: string;
  /** `time status (node, epoch): reason`, oldest first */
  history: string[];
}

/** What WhatsApp saw of a step: known as soon as the step is over. */
export interface WitnessedStep {
  step: string;
  seconds: number;
  /** devices that were away for a moment, and for how long, ms */
  gaps: Spread;
  overlaps: number;
  /** logins over a socket that was still open but silent (its process was gone or stopped) */
  replacements: number;
  decryptFailures: number;
  timeline: TimelineRow[];
}

/** With what has to be asked of both sides when nothing is on its way any more. */
export interface StepReport extends WitnessedStep {
  /** sends that were accepted, and texts that contacts sent */
  accepted: number;
  replied: number;
  /** accepted and read by nobody; sent by a contact and stored nowhere */
  lost: number;
  lostInbound: number;
  /** the same text under two ids */
  shownTwice: number;
  doubledInbound: number;
  /** ids that reached WhatsApp more than once: clients show them once */
  repeatedIds: number;
}

interface Step {
  name: string;
  beganAt: number;
  endedAt: number;
  accepted: { from: number; to: number };
  replied: { from: number; to: number };
  timeline: TimelineRow[];
}

export interface Measurement {
  state(): Promise<{ open: number; nodes: NodeRow[] | null; accepted: number; replied: number; step: string | null }>;
  begin(step: string): void;
  note(text: string): void;
  end(): WitnessedStep | null;
  /** The longest gaps of a step that was ended. */
  longGaps(step: WitnessedStep): Promise<LongGap[]>;
  /** Ends the traffic, waits for what is still on its way, and counts. */
  finish(): Promise<StepReport[]>;
}

const TICK_MS = 1_000;
const ANSWER_TIMEOUT_MS = 900;
/** as long as something still arrives it is not over */
const STALL_MS = 60_000;
const LOOK_MS = 2_000;
/** a planned move is shorter */
const LONG_GAP_MS = 2_000;
const SHOWN_LONG_GAPS = 3;

/** Traffic on every line all along, and figures of each step that is done to the cluster meanwhile. */
export function startMeasurement(
  api: ApiClient,
  simulator: Simulator,
  lines: readonly Line[],
  pauseMs: number,
): Measurement {
  const { witness } = simulator;
  const traffic = startTraffic(api, lines, pauseMs);
  const steps: Step[] = [];
  let current: Step | null = null;
  let notes: string[] = [];
  const ticker = setInterval(() => void tick(), TICK_MS);

  async function nodes(): Promise<NodeRow[] | null> {
    const late = delay(ANSWER_TIMEOUT_MS, null);
    const asked = api.ask<{ items: NodeRow[] }>('GET', '/cluster/nodes').catch(() => null);
    return (await Promise.race([asked, late]))?.items ?? null;
  }

  const pns = new Set(lines.map(({ phone }) => phone.pn));
  const openNow = () => {
    const devices = witness.sockets.list({ open: true }).flatMap(({ device }) => (device ? [device] : []));
    return new Set(devices.filter(({ pn, device }) => device > 0 && pns.has(pn)).map(({ pn }) => pn)).size;
  };

  async function tick(): Promise<void> {
    if (!current) return;
    const step = current;
    const second = Math.round((witness.now() - step.beganAt) / 1000);
    const openAtWhatsApp = openNow();
    const noted = notes;
    notes = [];
    const rows = await nodes();
    const shown = rows?.map(({ nodeId, connections, open, draining }) => [
      nodeId,
      { sessions: connections, open, draining },
    ]);
    step.timeline.push({ second, nodes: shown ? Object.fromEntries(shown) : null, openAtWhatsApp, notes: noted });
  }

  function end(): WitnessedStep | null {
    const step = current;
    if (!step) return null;
    step.endedAt = witness.now();
    step.accepted.to = traffic.accepted.size;
    step.replied.to = traffic.replied.length;
    steps.push(step);
    current = null;
    return witnessedOf(step, simulator);
  }

  async function longGap({ pn, closedAt, ms }: Gap): Promise<LongGap> {
    const connectionId = lines.find(({ phone }) => phone.pn === pn)?.connectionId ?? '';
    const { items } = await api.ask<{ items: ConnectionHistoryEntry[] }>('GET', `/connection/${connectionId}/history`);
    const wallAt = (at: number) => new Date(Date.now() - witness.now() + at).toISOString();
    const [from, to] = [wallAt(closedAt), wallAt(closedAt + ms)];
    const history = items
      .toReversed()
      .filter(({ at }) => at >= new Date(Date.parse(from) - 1_000).toISOString())
      .map(({ at, status, nodeId, epoch, reason }) => `${at} ${status} (${nodeId}, ${epoch}): ${reason}`);
    return { connectionId, ms: Math.round(ms), from, to, history };
  }

  return {
    async longGaps({ step: wanted }) {
      const step = steps.find(({ name }) => name === wanted);
      const long = (step ? gapsDuring(step, simulator) : []).filter(({ ms }) => ms > LONG_GAP_MS);
      return Promise.all(
        long
          .sort((a, b) => b.ms - a.ms)
          .slice(0, SHOWN_LONG_GAPS)
          .map(longGap),
      );
    },
    async state() {
      const { accepted, replied } = traffic;
      const open = openNow();
      return {
        open,
        nodes: await nodes(),
        accepted: accepted.size,
        replied: replied.length,
        step: current?.name ?? null,
      };
    },
    begin(name) {
      end();
      const [accepted, replied] = [traffic.accepted.size, traffic.replied.length];
      current = {
        name,
        beganAt: witness.now(),
        endedAt: 0,
        accepted: { from: accepted, to: accepted },
        replied: { from: replied, to: replied },
        timeline: [],
      };
    },
    note: (text) => void notes.push(text),
    end,
    async finish() {
      end();
      clearInterval(ticker);
      await traffic.stop();
      const stored = await settle(api, lines, traffic);
      return steps.map((step) => reportOf(step, simulator, lines, traffic, stored));
    },
  };
}

const textOf = ({ content }: Message) => (content.type === 'text' ? content.text : '');
const shownTo = (lines: readonly Line[]) =>
  lines.flatMap(({ contact }) => contact.inbox.all.map(({ text }) => text ?? ''));

/** Waits until all that was accepted is read and all that was replied is stored. @returns the texts that are stored */
async function settle(api: ApiClient, lines: readonly Line[], traffic: Traffic): Promise<string[]> {
  let arrived = -1;
  let movedAt = performance.now();
  for (;;) {
    const shown = new Set(shownTo(lines));
    const inbound = [];
    for (const { connectionId } of lines) inbound.push(...(await api.messages(connectionId, 'inbound')).map(textOf));
    const has = new Set(inbound);
    const missing =
      [...traffic.accepted.keys()].filter((text) => !shown.has(text)).length +
      traffic.replied.filter((text) => !has.has(text)).length;
    if (missing === 0 || performance.now() - movedAt > STALL_MS) return inbound;
    if (shown.size + has.size !== arrived) movedAt = performance.now();
    arrived = shown.size + has.size;
    await delay(LOOK_MS);
  }
}

function gapsDuring({ beganAt, endedAt }: Step, { witness }: Simulator): Gap[] {
  return gapsOf(witness.sockets.list()).filter(({ closedAt }) => closedAt >= beganAt && closedAt <= endedAt);
}

function witnessedOf(step: Step, simulator: Simulator): WitnessedStep {
  const { name, beganAt, endedAt, timeline } = step;
  const { witness } = simulator;
  const within = (at: number) => at >= beganAt && at <= endedAt;
  const gaps = gapsDuring(step, simulator);
  const overlaps = witness.sockets.overlaps().filter(({ at }) => within(at));
  return {
    step: name,
    seconds: Math.round((endedAt - beganAt) / 1000),
    gaps: spreadOf(gaps.map(({ ms }) => ms)),
    overlaps: overlaps.length,
    replacements: witness.sockets.replacements().filter(({ at }) => within(at)).length - overlaps.length,
    decryptFailures: witness.messages.decryptFailures().filter(({ at }) => within(at)).length,
    timeline,
  };
}

function reportOf(
  step: Step,
  simulator: Simulator,
  lines: readonly Line[],
  traffic: Traffic,
  stored: readonly string[],
): StepReport {
  const accepted = [...traffic.accepted].slice(step.accepted.from, step.accepted.to);
  const replied = traffic.replied.slice(step.replied.from, step.replied.to);
  const shown = countOf(shownTo(lines));
  const kept = countOf(stored);
  const submitted = (id: string) => simulator.witness.messages.get(id)?.submitted ?? 0;
  return {
    ...witnessedOf(step, simulator),
    accepted: accepted.length,
    replied: replied.length,
    lost: accepted.filter(([text]) => !shown.has(text)).length,
    lostInbound: replied.filter((text) => !kept.has(text)).length,
    shownTwice: accepted.filter(([text]) => (shown.get(text) ?? 0) > 1).length,
    doubledInbound: replied.filter((text) => (kept.get(text) ?? 0) > 1).length,
    repeatedIds: accepted.filter(([, id]) => submitted(id) > 1).length,
  };
}

function countOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
