import { join } from 'node:path';
import type { HubObserver } from '../../src/hub/edge/HubObserver.ts';
import type { Effect } from '../../src/simulator/Messages.ts';
import { Rig } from '../rig/Rig.ts';
import { Ledger, seenAs } from './Ledger.ts';
import { Narrator } from './Narrator.ts';

/** Longest wait for something that has to happen, ms. */
const PATIENCE_MS = 15_000;
/** How long the agent may take to end in order, ms; it is killed then. */
const STOP_MS = 5_000;

export const PEOPLE = {
  Ann: '+15550100002',
  Ben: '+15550100003',
  Cleo: '+15550100004',
} as const;
export const GROUP = { id: 'chat8315550100', name: 'Friday', participants: [PEOPLE.Ann, PEOPLE.Ben, PEOPLE.Cleo] };

/** The stage of the demo: the rig, the narrator, and the ledger of what people should have seen. */
export class Demo {
  readonly narrator = new Narrator();
  readonly ledger = new Ledger();
  readonly rig: Rig;
  readonly #written = new Map<string, number>();
  readonly #commands = new Map<string, number>();
  /** Messages typed, the guids answered so far, and the bubbles those answers have. */
  #typed = 0;
  readonly #replied = new Set<string>();
  #promised = 0;

  static async create(dir: string): Promise<Demo> {
    let demo: Demo | undefined;
    const rig = await Rig.create({
      dir,
      config: { sending: { sms_fallback: true }, attachments: { upload: 'images' } },
      hub: {
        responder: { script: join(import.meta.dirname, 'conversation.yaml') },
        observe: {
          uploadReceived: ({ sizeBytes }) => demo?.narrator.wire(`backend: POST /photo/upload, ${sizeBytes} bytes`),
          messageReceived: (info) => demo?.posted(info),
          messageAnswered: (info) => demo?.replied(info),
          commandSent: (info) => demo?.commanded(info),
        },
      },
    });
    demo = new Demo(rig);
    rig.mac.messages.onEffect = (effect) => demo?.shown(effect);
    return demo;
  }

  private constructor(rig: Rig) {
    this.rig = rig;
  }

  /** A person writes, and these bubbles should come back, in this order. */
  write(
    who: keyof typeof PEOPLE,
    text: string,
    o: { group?: boolean; photo?: string; answer: string[]; quiet?: boolean },
  ): void {
    const thread = o.group ? GROUP.id : PEOPLE[who];
    this.ledger.expect(thread, ...o.answer);
    if (!o.quiet) this.narrator.person(who, o.photo === undefined ? text : `[${o.photo}] ${text}`);
    const guid = this.rig.mac.people.receive({
      from: PEOPLE[who],
      text,
      ...(o.group && { group: GROUP }),
      ...(o.photo !== undefined && { attachments: [{ name: o.photo, mimeType: 'image/heic' }] }),
    });
    this.#written.set(guid, performance.now());
  }

  /** A person writes, and nobody knows what comes back. */
  type(who: keyof typeof PEOPLE, text: string): void {
    this.#typed += 1;
    this.narrator.person(who, text);
    this.rig.mac.people.receive({ from: PEOPLE[who], text });
  }

  /** Waits until all that was typed is answered and the phone shows every bubble of it. */
  async answered(): Promise<boolean> {
    const all = () => this.#replied.size >= this.#typed && this.rig.mac.messages.effects.length >= this.#promised;
    const ok = await this.until(all);
    if (!ok) this.narrator.fault('an answer did not come');
    return ok;
  }

  /** Stops everything, the agent in order where it can. */
  async close(): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, STOP_MS).unref());
    await Promise.race([this.rig.agent.kill('SIGTERM'), late]);
    await this.rig.close();
    await this.rig.agent.kill('SIGKILL'); // a scene that was interrupted may have started it again
  }

  /** Waits until the phone shows everything that it should so far. */
  async seen(): Promise<void> {
    const all = () => this.rig.mac.messages.effects.length >= this.ledger.count;
    if (!(await this.until(all))) this.narrator.fault('something did not come');
  }

  async until(test: () => boolean | Promise<boolean>): Promise<boolean> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await test())) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return true;
  }

  posted({ body, at }: Parameters<NonNullable<HubObserver['messageReceived']>>[0]): void {
    const written = this.#written.get(body.guid ?? '');
    if (written !== undefined) this.ledger.commitToPost.push(at.monotonic - written);
    this.#written.delete(body.guid ?? '');
    this.narrator.wire(`backend: POST /edge/message "${body.text}"`);
  }

  commanded({ command, channel, at }: Parameters<NonNullable<HubObserver['commandSent']>>[0]): void {
    if (channel === 'websocket' && command.commandType === 'send_message_now') {
      this.#commands.set(String(command.payload.text), at.wall);
    }
    const { text, message_text, name } = command.payload;
    const said = text ?? message_text ?? name;
    this.narrator.wire(`backend: ${command.commandType} by ${channel}${said ? ` "${said}"` : ''}`);
  }

  replied({ guid, answer, repeated }: Parameters<NonNullable<HubObserver['messageAnswered']>>[0]): void {
    const { reply_bubbles: bubbles = [], reflex_message: reflex } = JSON.parse(answer) as {
      reply_bubbles?: string[];
      reflex_message?: string;
    };
    if (!this.#replied.has(guid)) this.#promised += bubbles.length;
    this.#replied.add(guid);
    const count = bubbles.length === 1 ? '1 bubble' : `${bubbles.length} bubbles`;
    const what = `answers with ${count}${reflex === undefined ? '' : `, the first is the reflex "${reflex}"`}`;
    this.narrator.wire(`backend: ${what}${repeated ? ' (again)' : ''}`);
  }

  shown(effect: Effect): void {
    const sentAt = this.#commands.get(effect.text);
    this.#commands.delete(effect.text);
    if (sentAt !== undefined && effect.startedAtUs !== undefined) {
      this.ledger.commandToScript.push(effect.startedAtUs / 1000 - sentAt);
    }
    const who = Object.entries(PEOPLE).find(([, handle]) => effect.target.endsWith(handle))?.[0] ?? 'Friday';
    this.narrator.bubble(who, seenAs(effect));
  }
}
