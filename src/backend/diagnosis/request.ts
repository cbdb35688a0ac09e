import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { MAX_BODY_BYTES } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import type { Network } from '../network/Network.ts';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Headers that tell who answered and why. */
const OF_INTEREST = [
  'server',
  'via',
  'x-powered-by',
  'cf-ray',
  'x-cache',
  'content-type',
  'location',
  'retry-after',
  'www-authenticate',
  'upgrade',
  'connection',
  'date',
] as const;

/** How long the body of a refusal may take after its head, ms: one that never ends is a refusal all the same. */
const BODY_MS = 2_000;

function ofInterest(headers: IncomingHttpHeaders): Record<string, string> {
  const found = OF_INTEREST.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return Object.fromEntries(found);
}

/**
 * Up to so many characters of the body, and what came within 2 s where a clock is given. What came tells more than that
 * it broke off: `done` is called either way.
 */
export function readAnswer(
  response: IncomingMessage,
  limits: { characters: number; endsWithin: Clock | undefined },
  done: (answer: Answer) => void,
): void {
  let body = '';
  const finish = () => {
    late?.cancel();
    done({ status: response.statusCode ?? 0, headers: ofInterest(response.headers), body });
  };
  const late = limits.endsWithin?.after(BODY_MS, finish);
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    body += chunk;
    if (body.length >= limits.characters) finish();
  });
  response.on('end', finish).on('error', finish);
}

/** One request on a connection of its own; a redirect is an answer. @throws what the connection says */
export function ask(
  url: URL,
  o: {
    network: Network;
    headers: Record<string, string>;
    body?: string | undefined;
    clock: Clock;
    signal: AbortSignal;
  },
): Promise<Answer> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const agent = o.network.httpAgent(url, { keepAlive: false });
  return new Promise<Answer>((resolve, reject) => {
    const method = o.body === undefined ? 'GET' : 'POST';
    const request = send(url, { agent, method, headers: o.headers, signal: o.signal });
    request.on('error', reject);
    request.on('response', (response) => {
      const isRefusal = (response.statusCode ?? 0) >= 300; // half an answer is none
      readAnswer(response, { characters: MAX_BODY_BYTES, endsWithin: isRefusal ? o.clock : undefined }, (answer) => {
        resolve(answer);
        request.destroy();
      });
    });
    request.end(o.body);
  }).finally(() => agent.destroy());
}
