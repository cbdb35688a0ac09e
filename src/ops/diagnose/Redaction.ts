import { homedir } from 'node:os';
import { withoutSecret } from '../../util/withoutSecret.ts';
import { maskHandle, maskIn } from '../mask.ts';
import { ownWords } from './ownWords.ts';

/** Digits that may be a number, also in an id that was made of one. */
const LONG_DIGITS = /\d{10,15}/g;
/** Deeper than anything that is collected. */
const MAX_DEPTH = 12;

/** The last hand that goes over what a bundle says: no secret, of handles the last four characters, `~` for home. */
export class Redaction {
  readonly #secret: () => string | undefined;

  /** `secret`: asked each time, because a Keychain may answer late. */
  constructor(options: { secret: () => string | undefined }) {
    this.#secret = options.secret;
  }

  text(text: string): string {
    // First, and before anything is cut: half a secret is found by nobody.
    const plain = withoutSecret(text, this.#secret());
    const home = homedir();
    // A daemon may have none, or the root: that would put a ~ into every word, and no number would be known as one.
    const short = home.length > 1 ? plain.replaceAll(home, '~') : plain;
    return maskIn(short).replace(LONG_DIGITS, maskHandle);
  }

  /** Of what the agent says, or said, its own words. The secret goes first: it may hold a quote or a bracket, and be cut there. */
  own(text: string): string {
    return ownWords(withoutSecret(text, this.#secret()));
  }

  /** As text() does it, of every string in a value; numbers and flags stay. */
  value(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH) return '[deeper]';
    if (Array.isArray(value)) return value.map((one) => this.value(one, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [this.text(name), this.value(one, depth + 1)]),
    );
  }
}
