import { createHash, randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { Clock } from '../util/Clock.ts';
import { appleNanoseconds, preciseWallMs } from './appleTime.ts';
import { type Behaviour, BehaviourScript, type Form } from './Behaviour.ts';
import type { ChatDbFile } from './ChatDbFile.ts';
import type { ChatRows, StoredChat } from './ChatRows.ts';
import { attachmentGuid, textOf } from './contents.ts';
import type { Delays, Later } from './Later.ts';
import type { MessageDates } from './MessageDates.ts';
import { MessagesProcess } from './MessagesProcess.ts';
import { errorMessage, type ScriptAnswer, scriptFailure, scriptSuccess } from './osascriptErrors.ts';
import { type SentFile, sentFileRow, takeFile } from './sentFile.ts';
import { encodeBody, plainSegments } from './typedstreamEncoder.ts';

/** One osascript that asked to send. */
export interface SendRequest {
  readonly form: Form;
  /** A handle (participant) or a chat's guid (chat). */
  readonly target: string;
  /** iMessage, SMS or RCS for a participant; not looked at for a chat. */
  readonly service: string;
  /** '' for a file. */
  readonly text: string;
  /** The absolute path of the file to send instead of a text. */
  readonly file?: string | undefined;
  /** When the osascript process began, µs since 1970, where its shell can tell. */
  readonly startedAtUs?: number | undefined;
}

/** A bubble a person got: the proof against losing and doubling. */
export interface Effect {
  /** ms since 1970, µs as fraction. */
  readonly at: number;
  readonly form: Form;
  readonly target: string;
  readonly text: string;
  /** Length of the text in UTF-8. */
  readonly bytes: number;
  /** Set for a file: the name and the bytes the person got; `text` is ''. */
  readonly file?: { readonly name: string; readonly bytes: number; readonly sha256: string };
  /** The guid its row gets. */
  readonly guid: string;
  readonly startedAtUs?: number | undefined;
}

/** Whether macOS lets osascript control Messages; `unanswered` is the dialog nobody clicks away. */
export type Automation = 'granted' | 'denied' | 'unanswered';

const SERVICES = ['iMessage', 'SMS', 'RCS'];
const ERROR_MS = 10;
/** message.error of a file that Messages could not read. */
const UNREADABLE = 25;

/**
 * The simulated Messages.app, as osascript talks to it.
 *
 *   asked ─┬─ hangs, fails, is swallowed
 *          └─ bubble is out ─ row ─┬─ osascript ends (0, or an error all the same)
 *                                  ├─ (joinMs) chat_message_join
 *                                  ├─ (selfCopyMs) the same text, inbound
 *                                  ├─ (sentMs) is_sent ─ (deliveredMs) is_delivered
 *                                  └─ (errorMs) error ≠ 0, is_sent 0: refused, and no bubble was out
 */
export class Messages {
  /** Every bubble that went out, in order. */
  readonly effects: Effect[] = [];
  /** Every osascript that asked for one, in order, whatever became of it. */
  readonly requests: SendRequest[] = [];
  /** Called for each effect, after it is noted. */
  onEffect: (effect: Effect) => void = () => {};
  automation: Automation = 'granted';
  /** Whether it runs and answers. chat.db goes on meanwhile: it is imagent that writes it. */
  readonly process = new MessagesProcess();
  /** The services there are accounts for; none is a Mac that is signed out. */
  accounts: readonly string[] = SERVICES;
  readonly #script = new BehaviourScript();
  readonly #file: ChatDbFile;
  readonly #rows: ChatRows;
  readonly #clock: Clock;
  readonly #dates: MessageDates;
  readonly #delays: Delays;
  readonly #later: Later;
  readonly #effectsFile: string | undefined;
  readonly #home: string;

  constructor(o: {
    file: ChatDbFile;
    rows: ChatRows;
    clock: Clock;
    dates: MessageDates;
    delays: Delays;
    later: Later;
    /** The folder that is the home of who is signed in. */
    home: string;
    effectsFile?: string | undefined;
  }) {
    this.#file = o.file;
    this.#rows = o.rows;
    this.#clock = o.clock;
    this.#dates = o.dates;
    this.#delays = o.delays;
    this.#later = o.later;
    this.#effectsFile = o.effectsFile;
    this.#home = o.home;
  }

  behave(behaviour: Behaviour): void {
    this.#script.add(behaviour);
  }

  behaveWell(): void {
    this.#script.clear();
  }

  /** From here on -600, until launched. */
  quit(): void {
    this.process.end('quit');
  }

  launch(): void {
    this.process.launch();
  }

  /**
   * What stops any Apple event, a probe as well; undefined when nothing does. Waits for ever at the dialog, and while
   * Messages hangs.
   */
  async refusal(): Promise<ScriptAnswer | undefined> {
    const target = { form: 'chat', target: '', service: '' } as const;
    if (this.automation === 'unanswered') {
      this.process.unanswered++;
      return this.#never(target);
    }
    if (this.automation === 'denied') return scriptFailure(-1743, errorMessage(-1743, target));
    if (!this.process.isRunning) return scriptFailure(-600, errorMessage(-600, target));
    if (!this.process.isHanging) return undefined;
    const goesOn = await Promise.race([this.process.answering(), this.#later.closed()]);
    return goesOn ? undefined : scriptFailure(-609, errorMessage(-609, target));
  }

  /** Sends as osascript asks it to; resolves when osascript ends. */
  async send(request: SendRequest): Promise<ScriptAnswer> {
    this.requests.push(request);
    const behaviour = this.#script.next(request);
    await behaviour.beforeEffect?.();
    if (!(await this.#later.wait(behaviour.beforeEffectMs ?? 0))) return this.#failure(-609, request);
    if (behaviour.hang === 'before-effect') return this.#never(request);
    const refusal = (await this.refusal()) ?? this.#scriptedFailure(behaviour, request);
    if (refusal) return refusal;
    if (behaviour.swallow) return scriptSuccess();
    if (behaviour.ghost) return this.#ghost();
    const chat = this.#chatOf(request);
    if (typeof chat === 'number') return this.#failure(chat, request);

    this.#carryOut(request, chat, behaviour);

    await behaviour.afterEffect?.();
    if (behaviour.hang === 'after-effect') return this.#never(request);
    if (!(await this.#later.wait(behaviour.afterEffectMs ?? 0))) return this.#failure(-609, request);
    return behaviour.failAfterEffect === undefined
      ? scriptSuccess()
      : this.#failure(behaviour.failAfterEffect, request);
  }

  /** Ends only when the Mac is closed, with the error of a connection that broke. */
  async #never(target: Pick<SendRequest, 'form' | 'target' | 'service'>): Promise<ScriptAnswer> {
    await this.#later.closed();
    return scriptFailure(-609, errorMessage(-609, target));
  }

  #scriptedFailure(behaviour: Behaviour, request: SendRequest): ScriptAnswer | undefined {
    if (behaviour.fail === undefined) return undefined;
    if (typeof behaviour.fail === 'number') return this.#failure(behaviour.fail, request);
    return scriptFailure(behaviour.fail.code, behaviour.fail.message);
  }

  #failure(code: number, request: SendRequest): ScriptAnswer {
    return scriptFailure(code, errorMessage(code, request));
  }

  /** The chat a request means, or the error number Messages has for it. A participant need not be known before. */
  #chatOf({ form, target, service }: SendRequest): StoredChat | number {
    if (form === 'chat') {
      const chat = this.#rows.chatByGuid(target) ?? this.#rows.groupByOtherPrefix(target);
      return chat && this.accounts.includes(chat.service) ? chat : -1728;
    }
    if (target === '') return -1728;
    if (!SERVICES.includes(service)) return -1700;
    if (!this.accounts.includes(service)) return -1719;
    return this.#file.transaction(() =>
      this.#rows.chat({ identifier: target, isGroup: false, service, participants: [target] }),
    );
  }

  #carryOut(request: SendRequest, chat: StoredChat, asked: Behaviour): void {
    const guid = randomUUID().toUpperCase();
    const file = request.file === undefined ? undefined : takeFile(this.#home, request.file);
    const behaviour = file && !file.content ? { ...asked, error: asked.error ?? UNREADABLE } : asked;
    if (behaviour.error === undefined) this.#note(request, guid, file);
    const write = () => this.#write(guid, request, chat, behaviour, file);
    if (behaviour.rowMs) this.#later.after(behaviour.rowMs, write);
    else write();
  }

  #note({ form, target, text, startedAtUs }: SendRequest, guid: string, file: SentFile | undefined): void {
    const bytes = file?.content;
    const got = bytes && {
      file: { name: file.name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    };
    const effect: Effect = {
      at: preciseWallMs(),
      form,
      target,
      text,
      bytes: Buffer.byteLength(text),
      ...got,
      guid,
      startedAtUs,
    };
    this.effects.push(effect);
    if (this.#effectsFile !== undefined) appendFileSync(this.#effectsFile, `${JSON.stringify(effect)}\n`);
    this.onEffect(effect);
  }

  #write(
    guid: string,
    request: SendRequest,
    chat: StoredChat,
    behaviour: Behaviour,
    sentFile: SentFile | undefined,
  ): void {
    const service = request.form === 'participant' ? request.service : chat.service;
    const attachment = sentFile && sentFileRow(this.#home, attachmentGuid(guid, 0), sentFile, this.#dates.now());
    const segments = plainSegments(request.text, attachment ? [attachment.guid] : []);
    this.#file.transaction(() => {
      this.#rows.message({
        guid,
        isFromMe: true,
        handle: chat.isGroup ? 0 : this.#rows.handle(chat.identifier, service),
        service,
        date: this.#dates.next(service),
        chat,
        // Since macOS 13 it is not in any own row (openclaw #73172).
        text: this.#file.fillsText ? textOf(segments) : null,
        body: encodeBody(segments, { mutable: true }),
      });
      if (attachment) this.#rows.attachment(attachment);
    });
    this.#later.after(this.#delays.joinMs, () => {
      this.#rows.join(guid, chat);
      if (!attachment) return;
      const join = () => this.#file.transaction(() => this.#rows.joinAttachment(guid, attachment.guid));
      this.#later.after(this.#delays.attachmentMs, join);
    });
    if (behaviour.selfCopyMs !== undefined)
      this.#later.after(behaviour.selfCopyMs, () => this.#copy(request, chat, service));
    this.#end(guid, service, behaviour);
  }

  #end(guid: string, service: string, behaviour: Behaviour): void {
    if (behaviour.error !== undefined) {
      const columns = { error: behaviour.error, is_finished: 1 };
      this.#later.after(behaviour.errorMs ?? ERROR_MS, () => this.#rows.set(guid, columns));
      return;
    }
    this.#later.after(this.#delays.sentMs, () => this.#rows.set(guid, { is_sent: 1, is_finished: 1 }));
    // Carriers do not report delivery as a rule: SMS stays at is_sent.
    const { deliveredMs = service === 'SMS' ? 'never' : this.#delays.deliveredMs } = behaviour;
    if (deliveredMs === 'never') return;
    this.#later.after(deliveredMs, () =>
      this.#rows.set(guid, { is_delivered: 1, date_delivered: appleNanoseconds(this.#clock.now()) }),
    );
  }

  /** What was sent to oneself, as it arrives: complete, in one commit. */
  #copy({ text }: SendRequest, chat: StoredChat, service: string): void {
    const guid = randomUUID().toUpperCase();
    this.#file.transaction(() => {
      this.#rows.message({
        guid,
        isFromMe: false,
        handle: this.#rows.handle(chat.identifier, service),
        service,
        date: this.#dates.next(service),
        chat,
        text: this.#file.fillsText ? text : null,
        body: encodeBody(plainSegments(text)),
      });
      this.#rows.join(guid, chat);
    });
  }

  #ghost(): ScriptAnswer {
    this.#rows.message({
      guid: randomUUID().toUpperCase(),
      isFromMe: true,
      handle: 0,
      service: 'SMS',
      date: this.#dates.next('SMS'),
      text: '',
      body: null,
    });
    return scriptSuccess();
  }
}
