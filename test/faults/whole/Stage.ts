import { setTimeout as pause } from 'node:timers/promises';
import type { AgentStatus } from '../../../src/ops/status.ts';
import type { Behaviour } from '../../../src/simulator/Behaviour.ts';
import { patience } from '../../support/patience.ts';
import { waitFor } from '../../support/waitFor.ts';
import { answerTo, type FaultRun, type Reply } from '../harness/FaultRun.ts';
import type { Knock } from '../harness/Front.ts';
import { passes, says, silence, type Treatment, takenThen, takenThenReset } from '../harness/treatments.ts';
import { UNGUARDED } from '../harness/unguarded.ts';
import {
  type Deed,
  type Fate,
  GROUP,
  type Illness,
  type Line,
  type LineFault,
  type Obstacle,
  type Plan,
} from './Plan.ts';
import type { Reacted, Written } from './Written.ts';

/** What the agent waits for is over while the plan runs; as few connections as a quiet agent has (see invariants.ts). */
export const CONFIG = {
  backend: { sync_interval_seconds: 1, request_timeout_seconds: 2, max_concurrent_requests: 4 },
  relay: UNGUARDED,
  // A script of a busy machine is not one that hangs.
  sending: { settle_seconds: 3, script_timeout_seconds: patience },
};
const MAX_EDITS = 5;
/** As soon as a start and two attempts with their settle times, ms. */
const SEEN_WITHIN_MS = 10_000;
/** The same behind the longest wait of an agent that could not ask Messages, ms. */
const SEEN_AT_LAST_MS = 90_000;
/** How late the agent may notice that its clock was set: once a minute it looks at what is scheduled, ms. */
const NOTICE_MS = 60_000;
/** Long enough for what was sent meanwhile to come first. */
const SLOW_MS = 150;

const ILLNESSES: Record<Illness, Treatment> = {
  errors: says(503),
  'too many': says(429, '{}', { 'retry-after': '1' }),
  silence,
  'takes and resets': takenThenReset,
};
const FATES: Record<Fate, Treatment> = {
  taken: passes,
  slow: async (response, pass) => {
    await pause(SLOW_MS);
    return passes(response, pass);
  },
  busy: says(500),
  'taken, then 502': takenThen(says(502)),
  'taken, then reset': takenThenReset,
  known: takenThen(says(409)),
  refused: says(400),
};
const OBSTACLES: Record<Exclude<Obstacle, 'killed before' | 'killed after'>, Behaviour> = {
  'not running': { fail: -600 },
  'error after the bubble': { failAfterEffect: -1712 },
  slow: { beforeEffectMs: 100, afterEffectMs: 200 },
  hangs: { hang: 'before-effect' },
  'row late': { rowMs: 700 },
};

/** The backend's answer: to what was written first, whatever it was changed to since. */
export function reply(text: string): Reply {
  const first = text.replace(/ edited \d+$/, '');
  const isEven = Number(/m(\d+)$/.exec(first)?.[1]) % 2 === 0;
  return { ...(isEven && { reflex: `hm ${first}` }), bubbles: [answerTo(first)] };
}

/** Plays a plan, one step after the other, and lifts all that it brought about. */
export class Stage {
  readonly written = new Map<string, Written>();
  /** By target and person. */
  readonly reactions = new Map<string, Reacted>();
  readonly #run: FaultRun;
  readonly #fates = new Map<string, Fate>();
  readonly #met = new Set<string>();
  readonly #schedules = new Map<string, string>();
  #illness: Illness | undefined;
  #offsetMs = 0;
  #hasSetClock = false;
  /** When the last schedule of now is due, by the agent's clock. */
  #dueAt = 0;
  #isDown = false;

  constructor(run: FaultRun) {
    this.#run = run;
  }

  /** Stands before the hub from now on. */
  enter(): void {
    this.#run.front.treat = (knock) => this.#treatmentOf(knock);
  }

  async play(plan: Plan): Promise<void> {
    this.enter();
    const from = performance.now();
    for (const step of plan) {
      const waitMs = step.at - (performance.now() - from);
      if (waitMs > 0) await pause(waitMs);
      await this.bring(step);
    }
    await this.lift();
  }

  async bring(deed: Deed): Promise<void> {
    const { rig, clock } = this.#run;
    switch (deed.do) {
      case 'message':
        return this.#write(deed);
      case 'block': {
        const messages = rig.mac.cloud.backfillMessages({ ...deed, shuffled: true });
        for (const { guid, from, text } of messages) this.#run.wrote({ guid, thread: from, text, kind: 'history' });
        return;
      }
      case 'edit':
      case 'unsend':
      case 'copy':
      case 'reinsert':
      case 'react': {
        const one = this.written.get(deed.of);
        if (one && !one.isUnsent) await this.#change(one, deed);
        return;
      }
      case 'replace':
        await rig.mac.settled();
        await this.#allSeen();
        return rig.mac.chatDb.replace(deed.by);
      case 'ask':
        return void (await this.#run.ask(deed.thread));
      case 'schedule':
        return this.#schedule(deed);
      case 'cancel': {
        const id = this.#schedules.get(deed.of);
        if (id !== undefined && this.#run.ledger.acks.has(id)) await this.#cancel(deed.of, id);
        return;
      }
      case 'kill':
        return this.#kill(deed.signal, deed.downMs);
      case 'line':
        return this.#spoil(deed.line, deed.fault);
      case 'mend':
        return this.#mend();
      case 'ill':
        this.#illness = deed.illness;
        return;
      case 'well':
        this.#illness = undefined;
        return;
      case 'set clock':
        clock.jumpWall(deed.offsetMs - this.#offsetMs);
        this.#offsetMs = deed.offsetMs;
        this.#hasSetClock = true;
        return;
      case 'leap':
        if (rig.agent.isRunning) await Promise.race([clock.pass(deed.ms), pause(500)]);
        return;
      case 'obstacle':
        return rig.mac.messages.behave(this.#behaviour(deed.obstacle));
    }
  }

  #write({ name, from, how, lateMs, fate }: Extract<Deed, { do: 'message' }>): void {
    const { ledger } = this.#run;
    const guid = this.#run.write(from, {
      ending: name,
      joinMs: lateMs,
      kind: fate === 'refused' ? 'refused' : 'live',
      ...(how === 'group' && { group: GROUP }),
      ...(how === 'sms' && { service: 'SMS' }),
      ...(how === 'photo' && { attachments: [{ name: 'a.jpg', downloadMs: lateMs * 20 }] }),
    });
    const { thread, text } = ledger.inserted.at(-1)!;
    const is = { isRefused: fate === 'refused', isKnown: fate === 'known', isSms: how === 'sms', isUnsent: false };
    this.#fates.set(guid, fate);
    this.written.set(name, { guid, thread, text, ...is, edits: 0, now: text });
  }

  async #change(one: Written, deed: Extract<Deed, { of: string }>): Promise<void> {
    const { mac } = this.#run.rig;
    if (deed.do === 'edit') {
      if (one.edits >= MAX_EDITS || one.isSms) return;
      one.edits++;
      one.now = `${one.text} edited ${one.edits}`;
      const { inserted } = this.#run.ledger;
      const at = inserted.findIndex(({ guid }) => guid === one.guid);
      inserted[at] = { ...inserted[at]!, editedTo: [...(inserted[at]!.editedTo ?? []), one.now] };
      mac.people.edit(one.guid, one.now, deed.bodyMs > 0 ? { bodyMs: deed.bodyMs } : {});
      return;
    }
    await mac.settled();
    if (deed.do === 'unsend') {
      mac.people.unsend(one.guid);
      one.isUnsent = true;
    } else if (deed.do === 'react') {
      const { kind } = deed;
      // In a conversation of two nobody else can; a person's earlier reaction goes, told or not.
      const from = one.thread === GROUP.id ? deed.from : one.thread;
      const guid = mac.people.react({ from, target: one.guid, kind });
      this.reactions.set(`${one.guid} ${from}`, { guid, target: one.guid, kind });
    } else if (deed.do === 'copy') {
      if (!one.isSms && one.edits === 0) mac.cloud.copy(one.guid);
    } else if (this.#run.ledger.accepted.has(one.guid)) {
      // One that is not taken in yet would lose its place for good.
      mac.cloud.reinsert(one.guid);
    }
  }

  async #schedule({ name, thread, inMs }: Extract<Deed, { do: 'schedule' }>): Promise<void> {
    const { clock, ledger, rig } = this.#run;
    const text = `scheduled ${name}`;
    const dueAt = clock.now() + inMs;
    const payload = { thread_id: thread, message_text: text, send_at: new Date(dueAt).toISOString() };
    const id = await rig.command('schedule_message', payload);
    const isFar = inMs > NOTICE_MS;
    if (isFar) this.#schedules.set(name, id);
    else this.#dueAt = Math.max(this.#dueAt, dueAt);
    ledger.asked.push({ id, thread, text, outcome: isFar ? 'failed' : 'completed' });
  }

  async #cancel(name: string, id: string): Promise<void> {
    this.#schedules.delete(name);
    await this.#run.rig.command('cancel_scheduled', { schedule_id: id });
  }

  async #kill(signal: 'SIGKILL' | 'SIGTERM', downMs: number): Promise<void> {
    if (this.#isDown) return;
    this.#isDown = true;
    await this.#run.rig.agent.kill(signal);
    await pause(downMs);
    this.#run.rig.agent.start();
    this.#isDown = false;
  }

  /**
   * Resolves when the agent has seen all there is and no bubble is under way or between two attempts: in a file that takes
   * the place of this one nobody can tell what it has not seen from what was there before its time, nor whether a bubble
   * went out. An obstacle with which that takes too long goes.
   */
  async #allSeen(): Promise<void> {
    const { agent, mac } = this.#run.rig;
    const { last } = mac.chatDb.get<{ last: number }>('SELECT coalesce(max(ROWID), 0) AS last FROM message')!;
    const isSeen = async () => {
      const status = (await agent.status().catch(() => undefined)) as Partial<AgentStatus> | undefined;
      const { sends_in_flight: begun, sends_queued: queued } = status?.queues ?? {};
      return begun === 0 && queued === 0 && (status?.cursor?.rowid ?? 0) >= last;
    };
    await waitFor('all to be seen', isSeen, SEEN_WITHIN_MS).catch(() => {
      mac.messages.behaveWell();
      return waitFor('all to be seen without an obstacle', isSeen, SEEN_AT_LAST_MS);
    });
  }

  #behaviour(obstacle: Obstacle): Behaviour {
    if (obstacle === 'killed before') return { beforeEffect: () => this.#kill('SIGKILL', 0) };
    if (obstacle === 'killed after') return { afterEffect: () => this.#kill('SIGKILL', 0) };
    return OBSTACLES[obstacle];
  }

  #spoil(line: Line, fault: LineFault): void {
    const { cable, httpCable } = this.#run.rig;
    const one = line === 'socket' ? cable : httpCable;
    if (fault === 'cut') one.cut();
    else if (fault === 'reset') one.reset();
    else if (fault === 'black hole') one.blackHole();
    else if (fault === 'slow') one.degrade({ latencyMs: 100, jitterMs: 100, bytesPerSecond: 8192 });
    else one.degrade({ isSwallowing: true }, fault === 'up lost' ? 'up' : 'down');
  }

  #mend(): void {
    for (const one of [this.#run.rig.cable, this.#run.rig.httpCable]) one.mend();
  }

  #treatmentOf({ path, body }: Knock): Treatment {
    const guid = path === '/edge/message' ? String(JSON.parse(body).message_guid) : undefined;
    const fate = guid === undefined ? undefined : this.#fates.get(guid);
    if (fate === 'refused') return FATES.refused;
    if (this.#illness) return ILLNESSES[this.#illness];
    if (guid === undefined || fate === undefined || this.#met.has(guid)) return passes;
    this.#met.add(guid);
    return FATES[fate];
  }

  /** Nothing is wrong any more; what is still to come of the plan's schedules is cancelled. */
  async lift(): Promise<void> {
    const run = this.#run;
    const { ledger, rig } = run;
    this.#mend();
    this.#illness = undefined;
    run.clock.jumpWall(-this.#offsetMs);
    rig.mac.messages.behaveWell();
    run.liftedAt = performance.now();
    await rig.mac.settled();
    await waitFor('the last start', () => rig.agent.isRunning && !this.#isDown);
    await rig.agent.ready();
    await run.redial();
    await waitFor('the schedules', () => [...this.#schedules.values()].every((id) => ledger.acks.has(id)));
    for (const [name, id] of this.#schedules) await this.#cancel(name, id);
    if (this.#hasSetClock) await run.clock.pass(Math.max(0, this.#dueAt - run.clock.now()) + NOTICE_MS);
  }
}
