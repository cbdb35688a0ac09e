import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import {
  type CommandAck,
  describeIssues,
  MAX_BODY_BYTES,
  type MessageRequest,
  type MessageResponse,
  messageResponseSchema,
  type SyncRequest,
  type SyncResponse,
  syncResponseSchema,
} from '../protocol/wire.ts';
import type { Clock } from '../util/Clock.ts';
import { withoutSecret } from '../util/withoutSecret.ts';
import { BackendError, KEPT_BODY_CHARACTERS } from './BackendError.ts';
import { exchange, type HttpAnswer } from './httpExchange.ts';
import { multipartBody, type UploadFile } from './multipart.ts';
import type { Network } from './network/Network.ts';
import { parseRetryAfter } from './retryAfter.ts';
import { type Endpoint, meaningOf } from './statusPolicy.ts';

/** Connections beyond those for messages, so that a sync and an ack never queue behind answers that take a minute. */
const CONTROL_SOCKETS = 2;
/** Files uploaded at once, on connections of their own: a video must not keep a message waiting. */
export const UPLOAD_SOCKETS = 2;
/** A file may take as long as at this rate, bytes a second, beside the time of any request: slow, but not stuck. */
const SLOWEST_UPLOAD = 32 * 1024;
/** An idle connection is closed after this, ms: routers forget one silently, and a request on it would hang. */
const IDLE_SOCKET_MS = 15_000;
/** How much of a redirect's target is shown, characters. */
const MAX_LOCATION = 200;

export interface BackendClientOptions {
  /** `https://host[:port][/prefix]`; the endpoints' paths are appended. */
  baseUrl: string;
  agentId: string;
  secret(): string | undefined;
  /** Called after a 401 or 403: read the secret again. If another is there then, the request is made once more with it. */
  refreshSecret(): void;
  /** Limit for a whole request, from the call to the last byte of the answer, seconds. */
  requestTimeoutSeconds: number;
  /** How many messages may be under way at once. */
  maxSockets: number;
  network: Network;
  clock: Clock;
}

interface PostOptions {
  idempotencyKey?: string;
  signal?: AbortSignal | undefined;
  onWrittenOut?(): void;
  /** @default 1 MiB */
  maxBodyBytes?: number;
}

interface Content {
  path: string;
  type: string;
  length: number;
  body: Buffer | (() => Readable);
  /** Limit for the whole request, seconds. */
  timeoutSeconds: number;
}

/**
 * The agent's HTTP requests to the backend. Every failure is a BackendError: EDGE_SECRET_MISSING (no request is made),
 * one of NETWORK_CODES (no answer: EDGE_BACKEND_UNREACHABLE also when aborted or timed out), EDGE_BACKEND_ANSWER (2xx, but
 * not what the protocol says) or the code that statusPolicy.ts gives for the status. Retrying is the caller's business.
 */
export class BackendClient {
  readonly #o: BackendClientOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #underWay = new Set<AbortController>();
  #closed = false;

  constructor(options: BackendClientOptions) {
    this.#o = options;
    const maxSockets = options.maxSockets + CONTROL_SOCKETS + UPLOAD_SOCKETS;
    const pool = { keepAlive: true, maxSockets, timeout: IDLE_SOCKET_MS };
    this.#agent = options.network.httpAgent(new URL(options.baseUrl), pool);
  }

  /** `onWrittenOut` is called once at most, when the whole request is in the kernel's hands. 409 gives 'known'. */
  async postMessage(
    body: MessageRequest,
    o: { signal: AbortSignal; onWrittenOut(): void },
  ): Promise<MessageResponse | 'known'> {
    const answer = await this.#post('/edge/message', body, { ...o, idempotencyKey: body.message_guid });
    return answer === 'known' ? 'known' : this.#read('/edge/message', answer, messageResponseSchema);
  }

  async sync(body: SyncRequest, signal: AbortSignal, maxBodyBytes = MAX_BODY_BYTES): Promise<SyncResponse> {
    const answer = await this.#post('/edge/sync', body, { signal, maxBodyBytes });
    if (answer === 'known') throw new BackendError('EDGE_INTERNAL', 'statusPolicy calls a sync known');
    return this.#read('/edge/sync', answer, syncResponseSchema);
  }

  /** Any 2xx will do, whatever its body: the protocol gives this answer none. */
  async postAck(ack: CommandAck, signal?: AbortSignal): Promise<void> {
    await this.#post('/edge/command/ack', ack, { signal, idempotencyKey: `${ack.command_id}:${ack.status}` });
  }

  /** Posts a file, read from disk as it is written. Any 2xx will do; 409 says that the backend has it. */
  async upload(path: string, file: UploadFile, signal?: AbortSignal): Promise<void> {
    const { contentType: type, contentLength: length, open: body } = multipartBody(file);
    const timeoutSeconds = this.#o.requestTimeoutSeconds + Math.ceil(length / SLOWEST_UPLOAD);
    const content = { path, type, length, body, timeoutSeconds };
    await this.#request('upload', content, { signal, idempotencyKey: file.attachmentGuid });
  }

  /** Breaks off what is under way and closes every connection. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#underWay) stop.abort(new Error('the client was closed'));
    this.#agent.destroy();
  }

  #post(endpoint: Exclude<Endpoint, 'upload'>, payload: unknown, o: PostOptions): Promise<HttpAnswer | 'known'> {
    const body = Buffer.from(JSON.stringify(payload));
    const { requestTimeoutSeconds: timeoutSeconds } = this.#o;
    const content = { path: endpoint, type: 'application/json', length: body.length, body, timeoutSeconds };
    return this.#request(endpoint, content, o);
  }

  async #request(endpoint: Endpoint, content: Content, o: PostOptions): Promise<HttpAnswer | 'known'> {
    const { path } = content;
    let secret = this.#secretFor(path);
    let answer = await this.#exchange(content, secret, o);
    if (meaningOf(answer.status, endpoint) === 'EDGE_BACKEND_AUTH') {
      this.#o.refreshSecret();
      const current = this.#o.secret();
      // What was refused is no longer the secret: that says nothing about the one that is, which is tried at once.
      if (current && current !== secret) {
        secret = current;
        answer = await this.#exchange(content, secret, o);
      }
    }
    const meaning = meaningOf(answer.status, endpoint);
    if (meaning === 'known') return 'known';
    if (meaning === 'taken') return answer;
    const { location } = answer.headers;
    const isRedirect = meaning === 'EDGE_BACKEND_REDIRECT' && location;
    const target = isRedirect ? ` to ${withoutSecret(location, secret).slice(0, MAX_LOCATION)}` : '';
    throw new BackendError(meaning, `POST ${path} was answered ${answer.status}${target}`, {
      status: answer.status,
      retryAfterMs: parseRetryAfter(answer.headers['retry-after'], this.#o.clock.now()),
      body: withoutSecret(new TextDecoder().decode(answer.body), secret),
    });
  }

  #secretFor(path: string): string {
    const secret = this.#o.secret();
    if (!secret) throw new BackendError('EDGE_SECRET_MISSING', `POST ${path} was not made: there is no secret`);
    return secret;
  }

  async #exchange(content: Content, secret: string, o: PostOptions): Promise<HttpAnswer> {
    const { agentId, baseUrl, clock } = this.#o;
    const { path, body, timeoutSeconds } = content;
    const stop = new AbortController();
    const giveUp = (why: string) => stop.abort(new Error(why));
    const onAbort = () => giveUp('the caller broke it off');
    if (this.#closed) giveUp('the client is closed');
    if (o.signal?.aborted) onAbort();
    o.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = clock.after(timeoutSeconds * 1000, () => giveUp(`no complete answer within ${timeoutSeconds} s`));
    this.#underWay.add(stop);
    try {
      const answer = await exchange({
        url: new URL(baseUrl.replace(/\/+$/, '') + path),
        agent: this.#agent,
        headers: {
          Authorization: `Bearer ${secret}`,
          'X-Edge-Agent-Id': agentId,
          'Content-Type': content.type,
          'Content-Length': content.length,
          Accept: 'application/json',
          'Accept-Encoding': 'identity',
          ...(o.idempotencyKey === undefined ? {} : { 'Idempotency-Key': headerValue(o.idempotencyKey) }),
        },
        body,
        signal: stop.signal,
        maxBodyBytes: o.maxBodyBytes ?? MAX_BODY_BYTES,
        clock,
        onWrittenOut: () => o.onWrittenOut?.(),
      });
      this.#o.network.worked('http');
      return answer;
    } catch (error) {
      const { code, detail } = this.#o.network.failed('http', error);
      throw new BackendError(code, withoutSecret(`POST ${path} failed: ${detail}`, secret), { cause: error });
    } finally {
      timer.cancel();
      o.signal?.removeEventListener('abort', onAbort);
      this.#underWay.delete(stop);
    }
  }

  #read<T extends z.ZodType>(endpoint: Endpoint, answer: HttpAnswer, schema: T): z.output<T> {
    if (answer.flaw !== undefined) throw this.#answerError(endpoint, answer, answer.flaw);
    let json: unknown;
    try {
      json = JSON.parse(new TextDecoder().decode(answer.body));
    } catch {
      throw this.#answerError(endpoint, answer, 'it is not JSON');
    }
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw this.#answerError(endpoint, answer, describeIssues(parsed.error));
  }

  /** Without the body: that of a 2xx may hold what a person is to be told. */
  #answerError(endpoint: Endpoint, { status }: HttpAnswer, flaw: string): BackendError {
    const why = withoutSecret(flaw, this.#o.secret()).slice(0, KEPT_BODY_CHARACTERS);
    return new BackendError('EDGE_BACKEND_ANSWER', `POST ${endpoint}: the answer (${status}) cannot be used: ${why}`, {
      status,
    });
  }
}

/** Keys come from chat.db and the backend; what a header cannot carry is percent-encoded rather than never sent. */
function headerValue(key: string): string {
  return /^[\x21-\x7e]+$/.test(key) ? key : encodeURIComponent(key.toWellFormed());
}
