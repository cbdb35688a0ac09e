import type { Rig } from '../../scripts/rig/Rig.ts';
import type { Fate } from './FaultyBackend.ts';
import { GROUP, type Ledgers, PEOPLE, type Written } from './Ledgers.ts';

const MINUTE_MS = 60_000;

/** What happens on the Mac, one thing at a time. */
export class Mischief {
  readonly #rig: Rig;
  readonly #ledgers: Ledgers;
  readonly #random: () => number;
  #n = 0;

  constructor(rig: Rig, ledgers: Ledgers, random: () => number) {
    this.#rig = rig;
    this.#ledgers = ledgers;
    this.#random = random;
  }

  async step(): Promise<void> {
    const { mac } = this.#rig;
    const kinds = {
      message: 8,
      block: 0.6,
      edit: 3,
      unsend: 1,
      react: 3,
      copy: 2,
      reinsert: 2,
      replace: 0.5,
      group: 2,
      sms: 1,
      photo: 1,
    };
    const kind = this.#oneOf(kinds);
    this.#ledgers.did.push(kind);
    switch (kind) {
      case 'message': {
        const joinMs = this.#random() < 0.15 ? 320 : Math.round(this.#random() * 20);
        const bodyMs = this.#random() < 0.2 ? { bodyMs: Math.round(this.#random() * 60) } : {};
        this.#receive({ from: this.#person(), joinMs, ...bodyMs });
        break;
      }
      case 'group':
        this.#receive({ from: this.#person(), group: GROUP });
        break;
      case 'sms':
        this.#receive({ from: this.#person(), service: 'SMS' });
        break;
      case 'photo':
        this.#receive({
          from: this.#person(),
          attachments: [{ name: 'a.jpg', downloadMs: Math.round(this.#random() * 700) }],
        });
        break;
      case 'block': {
        const threads = this.#random() < 0.5 ? PEOPLE : [this.#person()];
        const messages = 3 + Math.floor(this.#random() * 5);
        const everyMs = this.#random() < 0.5 ? { everyMs: Math.round(this.#random() * 120) } : {};
        const olderMs = (40 + 200 * this.#random()) * MINUTE_MS;
        const guids = mac.cloud.backfillBlock({
          messages,
          threads,
          olderMs,
          shuffled: true,
          seed: this.#n,
          ...everyMs,
        });
        for (const guid of guids) this.#ledgers.write(guid, '', '', true);
        break;
      }
      case 'edit': {
        const one = this.#some((message) => message.edits < 5 && !message.isUnsent);
        if (!one) return;
        one.edits++;
        one.now = `${one.text} edited ${one.edits}`;
        const bodyMs = this.#random() < 0.4 ? { bodyMs: 30 } : {};
        mac.people.edit(one.guid, one.now, bodyMs);
        break;
      }
      case 'unsend': {
        const one = this.#some((message) => !message.isUnsent);
        if (!one) return;
        await mac.settled();
        mac.people.unsend(one.guid);
        one.isUnsent = true;
        break;
      }
      case 'react': {
        const one = this.#some((message) => !message.isUnsent);
        if (!one) return;
        await mac.settled();
        const from = this.#person();
        const kind = (['love', 'like', 'dislike', 'laugh'] as const)[Math.floor(this.#random() * 4)]!;
        const guid = mac.people.react({ from, target: one.guid, kind });
        this.#ledgers.reactions.push({ guid, target: one.guid, kind, from });
        break;
      }
      case 'copy': {
        const one = this.#some(
          (message) => !message.text.startsWith('SMS') && message.edits === 0 && !message.isUnsent,
        );
        if (!one) return;
        await mac.settled();
        mac.cloud.copy(one.guid);
        break;
      }
      case 'reinsert': {
        // One that is not taken in yet would lose its place for good.
        const one = this.#some(({ guid }) => this.#ledgers.posted.has(guid));
        if (!one) return;
        await mac.settled();
        mac.cloud.reinsert(one.guid);
        break;
      }
      case 'replace':
        await mac.settled();
        mac.chatDb.replace(this.#random() < 0.5 ? 'same-rows' : 'renumbered');
        break;
    }
  }

  #receive(incoming: Parameters<Rig['mac']['people']['receive']>[0]): void {
    const text = `${incoming.service === 'SMS' ? 'SMS ' : ''}message ${this.#n++}`;
    const guid = this.#rig.mac.people.receive({ ...incoming, text });
    this.#ledgers.write(guid, incoming.group?.id ?? incoming.from, text);
  }

  #some(test: (message: Written) => boolean): Written | undefined {
    const young = this.#ledgers.written.filter((message) => !message.isOld && test(message)).slice(-8);
    const one = young[Math.floor(this.#random() * young.length)];
    this.#ledgers.did.push(`to ${one?.guid} ${one?.text}`);
    return one;
  }

  #person(): string {
    return PEOPLE[Math.floor(this.#random() * PEOPLE.length)]!;
  }

  #oneOf<T extends string>(weights: Record<T, number>): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.#random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries[0]![0];
  }
}

/** What becomes of a POST; a message meets one fault at most, so that the run has an end. */
export function fates(random: () => number, ledgers: Ledgers): (guid: string) => Fate {
  return (guid) => {
    const before = ledgers.fates.get(guid);
    if (before === 'refuse' || before === 'known') return before;
    const dice = random();
    const drawn: Fate =
      dice < 0.03
        ? 'busy'
        : dice < 0.06
          ? 'broken'
          : dice < 0.09
            ? 'unsaid'
            : dice < 0.12
              ? 'slow'
              : dice < 0.14
                ? 'refuse'
                : dice < 0.16
                  ? 'known'
                  : 'pass';
    const fate = before === undefined ? drawn : 'pass';
    ledgers.fates.set(guid, fate);
    return fate;
  };
}
