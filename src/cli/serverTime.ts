import { ask } from '../backend/diagnosis/request.ts';
import { Network } from '../backend/network/Network.ts';
import { linkSettings } from '../config/linkSettings.ts';
import type { Config } from '../config/schema.ts';
import type { ServerTime } from '../ops/doctor/clockSkew.ts';
import { PROBE_HEADER } from '../protocol/wire.ts';
import { systemClock } from '../util/Clock.ts';

/** Less than a check may take, ms. */
const LIMIT_MS = 1_500;

/**
 * What time it is at the backend, by the Date of any answer, without the secret. A request of its own: the steps of the
 * connection may take a minute, and the time of an answer is not among what they tell. @throws why there is no answer
 */
export async function serverTime(config: Pick<Config, 'edge' | 'backend' | 'websocket'>): Promise<ServerTime> {
  const { baseUrl, network } = linkSettings(config);
  const startedAt = systemClock.monotonic();
  const { headers } = await ask(new URL(`${baseUrl.replace(/\/+$/, '')}/health`), {
    network: new Network(network),
    headers: { Accept: 'application/json', [PROBE_HEADER]: 'doctor' },
    clock: systemClock,
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const date = Date.parse(headers.date ?? '');
  return {
    date: Number.isNaN(date) ? undefined : date,
    at: systemClock.now(),
    tookMs: systemClock.monotonic() - startedAt,
  };
}
