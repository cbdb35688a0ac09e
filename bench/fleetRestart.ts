import { WebSocket } from 'ws';
import type { BenchRow } from './BenchRow.ts';
import { HubProcess } from './HubProcess.ts';
import { monotonicMs } from './monotonicMs.ts';
import { until } from './Stage.ts';

const AGENTS = 1_000;
/** The hub's leave of so many, and what it gives requests in hand, ms. */
const LEAVE_MS = 20_000;
const BACK_MS = 60_000;

/** A thousand sockets of a light kind that obey `drain`, on a hub that is stopped in order and started again. */
export async function fleetRestart(): Promise<BenchRow[]> {
  const hub = new HubProcess();
  const told: number[] = [];
  const dials: number[] = [];
  const opened = new Set<number>();
  const sockets = new Set<WebSocket>();
  let isOver = false;

  const dial = (n: number, failures: number): void => {
    if (isOver) return;
    const id = `edge_1555010${String(n).padStart(4, '0')}`;
    const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/edge/ws?edge_agent_id=${id}`, {
      headers: { Authorization: `Bearer ${hub.secret}`, 'X-Edge-Agent-Id': id },
      perMessageDeflate: false,
    });
    sockets.add(socket);
    let retryAfterMs = 1_000 * 2 ** Math.min(failures, 6);
    socket.on('open', () => opened.add(n));
    socket.on('error', () => {});
    socket.on('message', (raw) => {
      const frame = JSON.parse(String(raw)) as { type: string; data: { retry_after_ms: number } };
      if (frame.type !== 'drain') return;
      told.push(monotonicMs());
      retryAfterMs = frame.data.retry_after_ms;
    });
    socket.on('close', () => {
      sockets.delete(socket);
      opened.delete(n);
      setTimeout(
        () => {
          dials.push(monotonicMs());
          dial(n, failures + 1);
        },
        retryAfterMs * (1 + Math.random() / 4),
      );
    });
  };

  try {
    await hub.start();
    for (let n = 0; n < AGENTS; n++) dial(n, 0);
    if (!(await until(() => opened.size === AGENTS, BACK_MS))) throw new Error(`only ${opened.size} sockets opened`);
    const begunAt = monotonicMs();
    const ended = hub.kill('SIGTERM');
    await until(() => told.length === AGENTS, LEAVE_MS);
    await ended;
    await hub.start();
    const allBack = await until(() => opened.size === AGENTS, BACK_MS);
    const crowd = Math.max(mostWithin(told, 100), mostWithin(dials, 100));
    const seconds = (Math.max(...told) - begunAt) / 1_000;
    const back = allBack ? (monotonicMs() - Math.max(...told)) / 1_000 : Number.NaN;
    return [
      {
        name: `${AGENTS} sockets told of a stop`,
        unit: 's',
        goal: '≤ 11',
        value: seconds,
        ok: told.length === AGENTS && seconds <= 11,
      },
      { name: '… told, or back, in one 100 ms', unit: 'sockets', goal: '≤ 50', value: crowd, ok: crowd <= 50 },
      { name: '… all open again, after the last was told', unit: 's', goal: '', value: back, ok: allBack },
    ];
  } finally {
    isOver = true;
    for (const socket of sockets) socket.terminate();
    await hub.close();
  }
}

function mostWithin(times: readonly number[], ms: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[last]! - sorted[first]! >= ms) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
