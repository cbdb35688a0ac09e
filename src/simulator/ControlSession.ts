import { preciseWallMs } from './appleTime.ts';
import type { Behaviour } from './Behaviour.ts';
import type { AnswerTo, BehaviourMessage, ControlLine, Orders } from './control.ts';
import type { SimulatedMac } from './SimulatedMac.ts';

type Handlers = { [K in keyof Orders]: (order: Orders[K]) => AnswerTo<K> | undefined | Promise<undefined> };

/** Carries out the orders that reach a simulated Mac by line, and reports its effects. */
export class ControlSession {
  readonly #mac: SimulatedMac;
  readonly #write: (line: ControlLine) => void;
  readonly #close: () => Promise<void>;
  readonly #hooks = new Map<string, () => void>();

  constructor(o: { mac: SimulatedMac; write(line: ControlLine): void; close(): Promise<void> }) {
    this.#mac = o.mac;
    this.#write = o.write;
    this.#close = o.close;
  }

  start(): void {
    const { chatDbPath, attachmentsPath, binPath, osascriptPath } = this.#mac;
    this.#mac.messages.onEffect = (effect) => this.#write({ event: 'effect', effect });
    this.#write({ event: 'ready', chatDbPath, attachmentsPath, binPath, osascriptPath });
  }

  /** One line: `{"do": "receive", "id": 1, "message": {…}}`. Never rejects; what is wrong is answered. */
  async line(line: string): Promise<void> {
    let id: number | undefined;
    try {
      const order = JSON.parse(line) as { do: keyof Orders; id?: number };
      id = order.id;
      const handler = this.#handlers[order.do] as
        | ((order: unknown) => object | undefined | Promise<undefined>)
        | undefined;
      if (!handler) throw new Error(`unknown order ${JSON.stringify(order.do)}`);
      const answer = await handler(order);
      this.#write({ ...(id !== undefined && { id }), ok: true, ...answer });
    } catch (error) {
      this.#write({ ...(id !== undefined && { id }), ok: false, error: String(error) });
    }
  }

  readonly #handlers: Handlers = {
    receive: ({ message }) => ({ guid: this.#mac.people.receive(message), at: preciseWallMs() }),
    receiveMany: ({ messages }) => ({ guids: this.#mac.people.receiveMany(messages), at: preciseWallMs() }),
    react: ({ reaction }) => ({ guid: this.#mac.people.react(reaction) }),
    placeSticker: ({ sticker }) => ({ guid: this.#mac.people.placeSticker(sticker) }),
    vote: ({ vote }) => ({ guid: this.#mac.people.vote(vote) }),
    edit: ({ guid, text, how }) => done(this.#mac.people.edit(guid, text, how)),
    unsend: ({ guid, part }) => done(this.#mac.people.unsend(guid, part === undefined ? {} : { part })),
    read: ({ guid }) => done(this.#mac.people.read(guid)),
    readByThem: ({ guid }) => done(this.#mac.people.readByThem(guid)),
    delivered: ({ guid }) => done(this.#mac.people.delivered(guid)),
    alsoIn: ({ guid, chat }) => done(this.#mac.people.alsoIn(guid, chat)),
    link: ({ link }) => this.#mac.balloons.link(link),
    app: ({ balloon }) => ({ guid: this.#mac.balloons.app(balloon) }),
    createGroup: (order) => {
      const guid = this.#mac.groups.create(order);
      return guid === undefined ? {} : { guid };
    },
    change: ({ change }) => ({ guid: this.#mac.groups.change(change) }),
    sendLater: (order) => ({ guid: this.#mac.own.sendLater(order) }),
    toSelf: (order) => this.#mac.own.toSelf(order),
    copyFromSelf: (order) => ({ guid: this.#mac.own.copyFromSelf(order) }),
    reinsert: ({ guid, as }) => ({ guid: this.#mac.cloud.reinsert(guid, as === undefined ? {} : { guid: as }) }),
    copy: ({ guid, as }) => ({ guid: this.#mac.cloud.copy(guid, as === undefined ? {} : { guid: as }) }),
    backfillBlock: ({ block }) => ({ guids: this.#mac.cloud.backfillBlock(block) }),
    changePrefix: ({ identifier, prefix }) => done(this.#mac.cloud.changePrefix(identifier, prefix)),
    remove: ({ guid }) => done(this.#mac.people.remove(guid)),
    history: ({ history }) => done(this.#mac.fillHistory(history)),
    behave: ({ behaviour }) => done(this.#mac.messages.behave(this.#withHooks(behaviour))),
    behaveWell: () => done(this.#mac.messages.behaveWell()),
    quit: () => done(this.#mac.messages.quit()),
    launch: () => done(this.#mac.messages.launch()),
    hang: ({ endsAt }) => done(this.#mac.messages.process.hang(endsAt)),
    recover: () => done(this.#mac.messages.process.recover()),
    automation: ({ state }) => {
      this.#mac.messages.automation = state;
      return undefined;
    },
    accounts: ({ services }) => {
      this.#mac.messages.accounts = services;
      return undefined;
    },
    checkpoint: () => ({ done: this.#mac.chatDb.checkpoint() }),
    recreateWal: () => ({ done: this.#mac.chatDb.recreateWal() }),
    backup: ({ path }) => done(this.#mac.chatDb.backup(path)),
    replace: ({ replacement }) => done(this.#mac.chatDb.replace(replacement)),
    settled: () => this.#mac.settled().then(done),
    requests: () => ({ requests: this.#mac.messages.requests }),
    resume: ({ hook }) => done(this.#hooks.get(hook)?.()),
    close: () => this.#close().then(done),
  };

  /** A hook becomes an event, and lasts until it is answered with `resume`. */
  #withHooks({ beforeEffect, afterEffect, ...behaviour }: BehaviourMessage): Behaviour {
    const call = (hook: string) => () =>
      new Promise<void>((resolve) => {
        this.#hooks.set(hook, resolve);
        this.#write({ event: 'hook', hook });
      });
    return {
      ...behaviour,
      ...(beforeEffect !== undefined && { beforeEffect: call(beforeEffect) }),
      ...(afterEffect !== undefined && { afterEffect: call(afterEffect) }),
    };
  }
}

function done(_nothing: unknown): undefined {}
