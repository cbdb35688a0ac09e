import { lookup as systemLookup } from 'node:dns';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type Agent, request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../../util/Clock.ts';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import { urlFlaw } from './fileUrl.ts';
import { guardedLookup, ownNetworks } from './ownNetworks.ts';

/** One attempt takes no longer, ms, however slowly the bytes drip. */
const TOTAL_MS = 60_000;
/** Nor is anything waited for longer than this: the connection, the answer, the next bytes, ms. */
const IDLE_MS = 15_000;
const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Statuses that ask to come again: time-out, too early, too many requests. */
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);
/** Public by its range, and the metadata service of a cloud all the same (Azure). */
const METADATA = '168.63.129.16';

/** What the agent of a test may allow; none of it can be configured. */
export interface FetchAllowances {
  /** Certificates of authorities beside the system's. */
  readonly ca?: string;
  /** Addresses or CIDR blocks that are not public and allowed all the same. */
  readonly addresses?: readonly string[];
  readonly lookup?: LookupFunction;
  /** @default those of this machine */
  readonly isOwnNetwork?: (address: string) => boolean;
}

/**
 * Fetches a file for send_attachment from a URL that somebody else chose. Nothing of this Mac goes along: no secret, no
 * cookie, no referrer. No address but a public one is connected to: it is looked at when the connection is made, of
 * each redirect anew, so that a name cannot be public when it is checked and private when it is used.
 */
export class FileFetcher {
  readonly #clock: Clock;
  readonly #totalMs: number;
  readonly #idleMs: number;
  readonly #allowances: FetchAllowances;

  constructor(options: { clock: Clock; totalMs?: number; idleMs?: number; allowances?: FetchAllowances }) {
    this.#clock = options.clock;
    this.#totalMs = options.totalMs ?? TOTAL_MS;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#allowances = options.allowances ?? {};
  }

  /**
   * Writes what is at `url` into `file`, byte by byte as it comes: a content-encoding is not undone.
   * @throws EdgeError EDGE_FILE_FETCH (try again), EDGE_FILE_REFUSED (never); whatever writing to `file` throws, as it is
   */
  async fetch(url: string, file: FileHandle, o: { maxBytes: number; signal: AbortSignal }): Promise<void> {
    const tooLong = new AbortController();
    const timer = this.#clock.after(this.#totalMs, () =>
      tooLong.abort(later(`it took longer than ${this.#totalMs / 1000} s`)),
    );
    const signal = AbortSignal.any([o.signal, tooLong.signal]);
    try {
      await this.#follow(url, file, o.maxBytes, signal);
    } catch (error) {
      throw tooLong.signal.aborted ? tooLong.signal.reason : error;
    } finally {
      timer.cancel();
    }
  }

  async #follow(first: string, file: FileHandle, maxBytes: number, signal: AbortSignal): Promise<void> {
    const agent = await this.#agent();
    try {
      let url = first;
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const flaw = urlFlaw(url);
        if (flaw !== undefined) throw refused(redirects === 0 ? `the URL ${flaw}` : `it is redirected to what ${flaw}`);
        const { hostname } = new URL(url);
        if (this.#isOwn(hostname.replace(/^\[|\]$/g, ''))) throw notPublic();
        const response = await this.#get(url, agent, signal);
        const next = redirectOf(response, url);
        if (next === undefined) return await file.writeFile(bodyOf(response, maxBytes));
        response.destroy();
        url = next;
      }
      throw refused(`it is redirected more than ${MAX_REDIRECTS} times`);
    } finally {
      agent.destroy();
    }
  }

  /** One for each attempt, so that no connection outlives it. Loaded with the first file: it takes some 12 MB. */
  async #agent() {
    const { RequestFilteringHttpsAgent } = await import('request-filtering-agent');
    const { ca, addresses = [], lookup = systemLookup as LookupFunction } = this.#allowances;
    return new RequestFilteringHttpsAgent({
      keepAlive: false,
      timeout: this.#idleMs,
      rejectUnauthorized: true, // whatever the environment says
      allowIPAddressList: [...addresses],
      denyIPAddressList: [METADATA],
      lookup: guardedLookup(lookup, (address) => this.#isOwn(address), notPublic),
      ...(ca !== undefined && { ca }),
    });
  }

  /** Of an address; false of a name. Networks come and go: those of now. */
  #isOwn(host: string): boolean {
    if (!isIP(host) || this.#allowances.addresses?.includes(host)) return false;
    return (this.#allowances.isOwnNetwork ?? ownNetworks())(host);
  }

  #get(url: string, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'edge-relay' };
      const sent = request(url, { agent, headers, signal, timeout: this.#idleMs });
      sent.once('response', resolve);
      sent.once('timeout', () => sent.destroy(later(`nothing came for ${this.#idleMs / 1000} s`)));
      sent.once('upgrade', (response, socket) => {
        socket.destroy();
        reject(refused(`its server answers ${response.statusCode}`));
      });
      sent.on('error', (error) => reject(judged(error)));
      sent.once('close', () => reject(later('the connection was closed'))); // no other end must leave the attempt open
      sent.end();
    });
  }
}

/** Where an answer leads; undefined when it is the file itself. */
function redirectOf(response: IncomingMessage, url: string): string | undefined {
  const status = response.statusCode ?? 0;
  if (status === 200) return undefined;
  response.resume();
  if (REDIRECTS.has(status)) {
    const next = URL.parse(response.headers.location ?? '', url);
    if (next && response.headers.location) return next.href;
    throw refused(`its server answers ${status} without an address`);
  }
  throw status >= 500 || LATER.has(status)
    ? later(`its server answers ${status}`)
    : refused(`its server answers ${status}`);
}

/** The body, as long as it is not too large. What the disk says to it is not caught here: it is the caller's to judge. */
async function* bodyOf(response: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer> {
  const tooLarge = () => refused(`it is larger than attachments.max_send_bytes, ${maxBytes} bytes`);
  let bytes = 0;
  try {
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      yield chunk;
    }
  } catch (error) {
    throw judged(error as Error);
  } finally {
    response.destroy();
  }
}

/** An error of a connection. The filtering agent has no code for its own, only words. */
function judged(error: Error): EdgeError {
  if (error instanceof EdgeError) return error;
  if (/^DNS lookup .* is not allowed/.test(error.message)) return notPublic();
  return later(messageOf(error));
}

function notPublic(): EdgeError {
  return refused('its host has an address that is not public');
}

function later(detail: string): EdgeError {
  return new EdgeError('EDGE_FILE_FETCH', detail);
}

function refused(detail: string): EdgeError {
  return new EdgeError('EDGE_FILE_REFUSED', detail);
}
