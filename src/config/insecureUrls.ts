import { isLoopback } from '../util/loopback.ts';
import type { FoundProblem } from './problems.ts';

/** Unencrypted URLs to other machines, unless they are allowed. Takes what the file says, whether valid or not. */
export function insecureUrls(value: unknown): FoundProblem[] {
  const backend = (value as { backend?: Record<string, unknown> | null } | null)?.backend;
  if (typeof backend !== 'object' || backend === null || backend.allow_insecure === true) return [];
  return ['url', 'websocket_url'].flatMap((name) => {
    const text = backend[name];
    const url = typeof text === 'string' ? URL.parse(text) : null;
    if (!url || !['http:', 'ws:'].includes(url.protocol) || isLoopback(url)) return [];
    if (url.username || url.password || url.search || url.hash) return []; // reported as it is
    const secure = url.protocol === 'http:' ? 'https:' : 'wss:';
    return {
      at: ['backend', name],
      wrong: 'value',
      text:
        `backend.${name}: value was ${JSON.stringify(text)}, expected ${secure} because the secret would cross ` +
        'the network in the clear; backend.allow_insecure: true allows it',
    };
  });
}
