import { lstatSync } from 'node:fs';
import { request } from 'node:http';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { ErrorReply } from './routes.ts';

/** An agent that does not answer in this time is stuck, ms. */
const TIMEOUT_MS = 5_000;
/** A status with every dead letter it may show is far smaller, bytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface ControlCall {
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  /** With the query, if any. */
  readonly path: string;
  readonly body?: object;
}

export interface ControlAnswer {
  readonly status: number;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

/** Asks the running agent. @throws EdgeError EDGE_NOT_RUNNING when there is none, EDGE_NOT_ANSWERING when it keeps silent */
export function controlRequest({ socketPath, method, path, body }: ControlCall): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (detail: string, cause?: unknown) => reject(new EdgeError('EDGE_NOT_RUNNING', detail, { cause }));
    let isSilent = false;
    // Where state.dir is long the socket lies in a folder that others may write: theirs would be told what we say.
    const owner = lstatSync(socketPath, { throwIfNoEntry: false })?.uid;
    if (owner !== undefined && owner !== process.getuid?.()) return fail(`${socketPath} belongs to another user`);
    const call = request(
      { socketPath, method, path, timeout: TIMEOUT_MS, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) response.destroy(new Error('its answer is too large'));
        });
        response.on('error', (error) => fail(`the agent at ${socketPath} broke off: ${messageOf(error)}`, error));
        response.on('end', () => {
          try {
            const isText = response.headers['content-type']?.startsWith('text/plain');
            resolve({ status: response.statusCode ?? 0, body: isText ? text : JSON.parse(text) });
          } catch (error) {
            fail(`what answers at ${socketPath} is no agent: ${messageOf(error)}`, error);
          }
        });
      },
    );
    call.on('timeout', () => {
      isSilent = true;
      call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`));
    });
    call.on('error', (error) => {
      if (isSilent) {
        const detail = `the agent at ${socketPath} gave ${messageOf(error)}`;
        return reject(new EdgeError('EDGE_NOT_ANSWERING', detail, { cause: error }));
      }
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ECONNREFUSED') fail(`no agent listens on ${socketPath}`, error);
      else fail(`the agent at ${socketPath} cannot be asked: ${messageOf(error)}`, error);
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The error in an answer, or undefined. */
export function errorOf(answer: ControlAnswer): ErrorReply['error'] | undefined {
  return answer.status >= 400 ? (answer.body as ErrorReply).error : undefined;
}
