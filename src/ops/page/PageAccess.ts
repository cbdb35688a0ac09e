import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../util/Clock.ts';

/** A token for /open is good for so long, and once: it stands in the arguments of `open`, which others can list, ms. */
export const TOKEN_MS = 5 * 60_000;
/** Tokens nobody has used; the oldest gives way. */
const MAX_TOKENS = 8;
/** 256 bits. */
const SECRET_BYTES = 32;

/**
 * Who may look at the status page. `edge-agent open` gets a token over the control socket, which only this user can
 * open; /open exchanges it for the cookie of this start of the agent.
 */
export class PageAccess {
  readonly #clock: Clock;
  readonly #port: number;
  /** Where the page is, `/…/`. Cookies know no ports: by its path alone the cookie goes to no other server of this machine. */
  readonly folder: string;
  readonly #session = newSecret();
  #tokens: { token: string; until: number }[] = [];

  /** `folder`: a name nobody can guess. */
  constructor(options: { clock: Clock; port: number; folder: string }) {
    this.#clock = options.clock;
    this.#port = options.port;
    this.folder = `/${options.folder}/`;
  }

  newToken(): string {
    const token = newSecret();
    this.#tokens = [...this.#fresh(), { token, until: this.#clock.monotonic() + TOKEN_MS }].slice(-MAX_TOKENS);
    return token;
  }

  /** The Set-Cookie for a token, which is used up by that; undefined where it is none, or none any more. */
  redeem(token: string): string | undefined {
    const left = this.#fresh().filter((each) => !isSame(each.token, token));
    const isGood = left.length < this.#fresh().length;
    this.#tokens = left;
    return isGood ? `${this.#cookieName}=${this.#session}; Path=${this.folder}; HttpOnly; SameSite=Strict` : undefined;
  }

  /** The request has the cookie. */
  admits({ cookie = '' }: IncomingHttpHeaders): boolean {
    const prefix = `${this.#cookieName}=`;
    // Any of them: another server of this machine may have set one of the same name, which then comes first.
    return cookie
      .split(';')
      .map((pair) => pair.trim())
      .some((pair) => pair.startsWith(prefix) && isSame(pair.slice(prefix.length), this.#session));
  }

  /** The request was made to this port by this machine's name; a page elsewhere can make a browser ask under its own. */
  isOurs({ host = '' }: IncomingHttpHeaders): boolean {
    return [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`].includes(host.toLowerCase());
  }

  /** The request was made by the page itself, as far as a browser says. */
  isFromPage(headers: IncomingHttpHeaders): boolean {
    const site = headers['sec-fetch-site'];
    return headers.origin === `http://${headers.host}` && (site === undefined || site === 'same-origin');
  }

  /** Cookies know no ports: the number keeps two agents apart. */
  get #cookieName(): string {
    return `edge-agent-${this.#port}`;
  }

  #fresh() {
    return this.#tokens.filter(({ until }) => until > this.#clock.monotonic());
  }
}

export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** Takes the same time wherever they differ, and whatever their lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
