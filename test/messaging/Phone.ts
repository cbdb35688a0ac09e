import { expect } from 'vitest';
import { queueText } from '../../src/messaging/queueText.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, type ScriptCall, scriptError, TIMED_OUT } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, SenderRig } from './senderRig.ts';

export const GROUP = 'chat831000000000000001';
export const THREADS = [ANNA, BEN, GROUP] as const;
/** Longest bubble; what is longer takes several. */
export const MAX_BUBBLE_CHARS = 20;

/** What one osascript does, and what we are told of it. */
export type Script =
  /** The bubble goes out after `afterMs`, its row appears `rowAfterMs` later. */
  | { does: 'send'; afterMs: number; rowAfterMs: number; says: Says }
  | { does: 'nothing'; says: Says }
  /** Nothing goes out, and Messages says so. */
  | { does: 'refuse'; code: number }
  /** A row is written and marked failed. */
  | { does: 'fail'; error: number; afterMs: number }
  /** For a chat id: an empty row, and nothing goes out. */
  | { does: 'ghost' };
/** A number is the AppleScript error of an osascript that may have done its work. */
export type Says = 'ok' | 'time-out' | 'nothing, for we are killed' | number;

export interface Manners {
  readonly onMissingReceipt: 'retry' | 'report';
  readonly smsFallback: boolean;
  readonly bubblePause: 'none' | 'natural' | number;
  readonly perMinute: number;
}

/** Messages, three conversations, and what is seen in them; beside it the Sender, which may be killed at any time. */
export class Phone {
  readonly rig: SenderRig;
  readonly scripts: Script[] = [];
  /** How often each send may have reached Messages, by send_id. */
  readonly attempts = new Map<number, number>();
  /** send_ids in the order in which the bubbles were seen. */
  readonly seen: number[] = [];
  /** A row may come after its send was told to be unknown. */
  readonly rowsMayBeLate: boolean;
  readonly #later = new Set<{ at: number; work: () => void }>();
  #commands = 0;

  constructor({ onMissingReceipt, smsFallback, bubblePause, perMinute }: Manners) {
    this.rowsMayBeLate = onMissingReceipt === 'report';
    const rate = { perMinute, perHour: 0, newThreadsPerDay: 0 };
    this.rig = new SenderRig({ smsFallback, bubblePause, rate, onMissingReceipt });
    this.rig.mac.chats.set(GROUP, chat(GROUP, { guid: `iMessage;+;${GROUP}`, isGroup: true }));
    this.rig.mac.onRun = (call) => this.#run(call);
    this.rig.sender.start();
  }

  /** A command of one text, which may be several bubbles. */
  queue(threadId: string, text: string, immediate: boolean): SendRow[] {
    const { store, clock } = this.rig;
    const commandId = `c${++this.#commands}`;
    const now = clock.now();
    const rows = store.transaction(() => {
      const command = { commandId, commandType: 'send_message_now', payload: {}, channel: 'sync' as const };
      store.commands.insert({ ...command, issuedAt: now, now });
      const key = `command:${commandId}`;
      const bubble = { key, threadId, text, bubbleType: 'normal' as const, immediate, commandId, now };
      const root = queueText(store, bubble, MAX_BUBBLE_CHARS);
      store.commands.setSend(commandId, root.sendId);
      if (this.#commands % 2 === 0) this.rig.sender.begin(threadId); // as commands do; answers do not
      return [root, ...store.sends.partsOf(root.sendId)];
    });
    this.rig.sender.wake();
    return rows;
  }

  /** A person types words on another device; not while it could be the agent who said them. */
  type(threadId: string, text: string): void {
    const { store, mac } = this.rig;
    const isClear = store.sends.recentOf(threadId, 0).every(({ state }) => state === 'confirmed' || state === 'failed');
    if (isClear) mac.write({ target: threadId, text });
  }

  #run(call: ScriptCall) {
    const { mac } = this.rig;
    const script = this.scripts.shift() ?? { does: 'send', afterMs: 0, rowAfterMs: 0, says: 'ok' };
    const send = this.#sendOf(call);
    if (script.does === 'send' || script.does === 'nothing') {
      this.attempts.set(send.sendId, (this.attempts.get(send.sendId) ?? 0) + 1);
    }
    switch (script.does) {
      case 'refuse':
        return scriptError(script.code);
      case 'ghost':
        if (call.form !== 'chat') return scriptError(-1728);
        mac.write(call, { text: '', chat: undefined, handle: undefined, service: 'SMS', bodyBytes: 0 });
        return EXIT_0;
      case 'fail': {
        const row = mac.write(call, { isSent: false, service: call.service || 'iMessage' });
        this.#in(script.afterMs, () => mac.amend(row.rowid, { error: script.error }));
        return EXIT_0;
      }
      case 'send':
        this.#in(script.afterMs, () => {
          this.seen.push(send.sendId);
          const dateAt = this.rig.clock.now();
          this.#in(script.rowAfterMs, () => mac.write(call, { dateAt }));
        });
        return this.#end(script.says);
      case 'nothing':
        return this.#end(script.says);
    }
  }

  #end(says: Says) {
    if (says === 'ok') return EXIT_0;
    if (says === 'time-out') return TIMED_OUT;
    if (typeof says === 'number') return scriptError(says);
    this.crash();
    return new Promise<never>(() => {});
  }

  /** One bubble of a thread is under way at a time. */
  #sendOf(call: ScriptCall): SendRow {
    const threadId = call.target.split(';').at(-1);
    const sends = this.rig.store.sends.inFlight().filter((send) => send.threadId === threadId);
    expect(sends.map(({ state, text }) => [state, text])).toEqual([['sending', call.text]]);
    return sends[0]!;
  }

  /** Messages does it later, whatever becomes of the agent. */
  #in(ms: number, work: () => void): void {
    if (ms === 0) work();
    else this.#schedule({ leftMs: ms, work });
  }

  #schedule({ leftMs, work }: { leftMs: number; work: () => void }): void {
    const { clock } = this.rig;
    const entry = { at: clock.monotonic() + leftMs, work };
    this.#later.add(entry);
    clock.after(leftMs, () => {
      this.#later.delete(entry);
      work();
      this.rig.sender.chatDbChanged();
    });
  }

  /** SIGKILL and another start. What Messages has been given it goes on with. */
  crash(): void {
    const { clock } = this.rig;
    const later = [...this.#later].map(({ at, work }) => ({ leftMs: at - clock.monotonic(), work }));
    this.#later.clear();
    clock.halt();
    this.rig.crash();
    for (const each of later) this.#schedule(each);
  }

  /** Lets time pass, over deaths of the agent. */
  async pass(ms: number): Promise<void> {
    let leftMs = ms;
    for (;;) {
      const { clock } = this.rig;
      const before = clock.monotonic();
      await clock.advance(leftMs);
      await settle();
      leftMs -= clock.monotonic() - before;
      if (this.rig.clock === clock) return;
    }
  }

  /** chat.db cannot be read for a while. */
  async hide(ms: number): Promise<void> {
    this.rig.db = undefined;
    await this.pass(ms);
    this.rig.db = this.rig.mac;
    this.rig.sender.chatDbChanged();
    this.rig.sender.wake();
    await this.pass(0);
  }

  /** Till nothing is open, and everything that was late has shown itself. */
  async drain(): Promise<void> {
    const { sends } = this.rig.store;
    for (let i = 0; i < 400 && sends.openThreads().length > 0; i++) await this.pass(SETTLE_MS / 4);
    await this.pass(5 * SETTLE_MS);
    expect(sends.openThreads()).toEqual([]);
  }
}
