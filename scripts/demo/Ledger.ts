import { styleText } from 'node:util';
import { quantile } from '../../bench/BenchRow.ts';
import type { Effect } from '../../src/simulator/Messages.ts';

export interface Sums {
  sent: number;
  seenOnce: number;
  seenTwice: number;
  lost: number;
  outOfOrder: number;
  uncalledFor: number;
}

/** A bubble as the ledger has it: its text, or the name of its file. */
export function seenAs({ text, file }: Effect): string {
  return file ? `[${file.name}]` : text;
}

/** What each person should have seen, in order, against what the phone showed. */
export class Ledger {
  readonly #expected = new Map<string, string[]>();
  /** ms */
  readonly commitToPost: number[] = [];
  /** ms */
  readonly commandToScript: number[] = [];

  expect(thread: string, ...texts: string[]): void {
    this.#expected.set(thread, [...(this.#expected.get(thread) ?? []), ...texts]);
  }

  get count(): number {
    return [...this.#expected.values()].flat().length;
  }

  /** Compares; a text that repeats is counted as often as it was expected. */
  sums(effects: readonly Effect[]): Sums {
    const sums: Sums = { sent: 0, seenOnce: 0, seenTwice: 0, lost: 0, outOfOrder: 0, uncalledFor: 0 };
    const seen = new Map<string, string[]>();
    for (const effect of effects) {
      const thread = [...this.#expected.keys()].find((key) => effect.target.endsWith(key));
      if (thread === undefined) sums.uncalledFor += 1;
      else seen.set(thread, [...(seen.get(thread) ?? []), seenAs(effect)]);
    }
    for (const [thread, expected] of this.#expected) {
      const shown = seen.get(thread) ?? [];
      sums.sent += expected.length;
      for (const text of new Set(expected)) {
        const wanted = expected.filter((other) => other === text).length;
        const got = shown.filter((other) => other === text).length;
        sums.seenOnce += Math.min(wanted, got);
        sums.lost += Math.max(0, wanted - got);
        sums.seenTwice += Math.max(0, got - wanted);
      }
      sums.uncalledFor += shown.filter((text) => !expected.includes(text)).length;
      const inOrder = shown.filter((text) => expected.includes(text));
      if (sums.seenTwice === 0 && sums.lost === 0) {
        sums.outOfOrder += inOrder.filter((text, index) => text !== expected[index]).length;
      }
    }
    return sums;
  }

  /** Prints the table; true when nothing was lost, doubled or out of order. */
  report(effects: readonly Effect[]): boolean {
    const sums = this.sums(effects);
    const bad = sums.seenTwice + sums.lost + sums.outOfOrder + sums.uncalledFor;
    const ms = (values: readonly number[], share: number) =>
      values.length === 0 ? 'not measured here' : `${quantile(values, share).toFixed(1)} ms`;
    const none = (count: number) => (count === 0 ? '0' : styleText(['red', 'bold'], String(count)));
    const rows: [string, string | number][] = [
      ['bubbles sent', sums.sent],
      ['seen once', sums.seenOnce],
      ['seen twice', none(sums.seenTwice)],
      ['lost', none(sums.lost)],
      ['out of order', none(sums.outOfOrder)],
      ['not called for', none(sums.uncalledFor)],
      ['commit → POST, p50 (*)', ms(this.commitToPost, 0.5)],
      ['commit → POST, p99 (*)', ms(this.commitToPost, 0.99)],
      ['command → osascript, p50', ms(this.commandToScript, 0.5)],
      ['command → osascript, p99', ms(this.commandToScript, 0.99)],
    ];
    console.log();
    for (const [name, value] of rows) console.log(`  ${name.padEnd(26)}${value}`);
    console.log(
      styleText(
        'dim',
        '  (*) 3 ms of it lie between the row and its chat, which Messages commits one after the other.',
      ),
    );
    console.log(
      bad === 0
        ? styleText(['green', 'bold'], '\nEvery bubble was seen exactly once, in order.')
        : styleText(['red', 'bold'], '\nSomething was lost, doubled or out of order.'),
    );
    return bad === 0;
  }
}
