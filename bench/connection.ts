import { spawnSync } from 'node:child_process';
import type { BenchRow } from './BenchRow.ts';
import type { Latencies } from './commandToScript.ts';
import { fleetRestart } from './fleetRestart.ts';
import { HubProcess } from './HubProcess.ts';
import { latency } from './latency.ts';
import { monotonicMs } from './monotonicMs.ts';
import { outage } from './outage.ts';
import { BENCH_AGENT, Stage } from './Stage.ts';

const COMMANDS = Number(process.env.COMMANDS ?? 500);
/** Before them and not counted, so that the programs are warm, as running ones are. */
const WARM_UP = 50;
const CUTS = Number(process.env.CUTS ?? 10);
/** Long enough for any ack that comes at all, ms. */
const ACK_MS = 5_000;

/** The figures of the connection to the backend: the compiled agent, and the real hub in another process. */
export async function run(): Promise<BenchRow[]> {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) throw new Error('the build failed');
  return [
    ...(await withAgent(commandToAck)),
    ...(await withAgent(fallback)),
    ...(await withAgent(outage)),
    ...(await fleetRestart()),
  ];
}

async function withAgent(measure: (hub: HubProcess, stage: Stage) => Promise<BenchRow[]>): Promise<BenchRow[]> {
  const hub = new HubProcess();
  const stage = await Stage.create({ synchronous: 'NORMAL', history: 0 });
  try {
    await hub.start();
    await stage.startAgent({ url: hub.url, secret: hub.secret });
    return await measure(hub, stage);
  } finally {
    await stage.close();
    await hub.close();
  }
}

/** Commands one after the other: how long the hub takes to send one, and from there to the agent's ack in its database. */
async function commandToAck(hub: HubProcess): Promise<BenchRow[]> {
  const far = new Date(Date.now() + 365 * 86_400_000).toISOString();
  const goal = { p50: 8, p99: 30 };
  const list = await acks(hub, 'list_scheduled', 'completed', () => ({}));
  const schedule = await acks(hub, 'schedule_message', 'received', (n) => {
    return { thread_id: threadOf(n), message_text: `later ${n}`, send_at: far };
  });
  const send = await acks(hub, 'send_message_now', 'completed', (n) => ({ thread_id: threadOf(n), text: `now ${n}` }));
  return [
    latency('POST /api/commands → frame at the hub', list.toFrame, undefined),
    latency('frame → ack at the hub, list_scheduled', list.toAck, goal),
    latency('frame → ack at the hub, schedule_message', schedule.toAck, goal),
    latency('frame → ack at the hub, send_message_now by an osascript of no time', send.toAck, undefined),
  ];
}

async function acks(
  hub: HubProcess,
  commandType: string,
  status: string,
  payloadOf: (n: number) => object,
): Promise<{ toFrame: Latencies; toAck: Latencies }> {
  const toFrame: number[] = [];
  const toAck: number[] = [];
  for (let n = -WARM_UP; n < COMMANDS; n++) {
    const id = `${commandType}-${n}`;
    const begunAt = monotonicMs();
    await hub.command({ edge_agent_id: BENCH_AGENT, command_id: id, command_type: commandType, payload: payloadOf(n) });
    try {
      const { at: sentAt } = await hub.see(({ sent }) => sent === id, ACK_MS);
      const { at: ackAt } = await hub.see((seen) => seen.ack === id && seen.status === status, ACK_MS);
      if (n < 0) continue;
      toFrame.push(sentAt - begunAt);
      toAck.push(ackAt - sentAt);
    } catch {
      // It counts as missing.
    }
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 10));
  }
  return {
    toFrame: { ms: toFrame, missing: COMMANDS - toFrame.length },
    toAck: { ms: toAck, missing: COMMANDS - toAck.length },
  };
}

/** How soon commands come by polling when the socket is closed, and by the socket when it may open again. */
async function fallback(hub: HubProcess, stage: Stage): Promise<BenchRow[]> {
  const agent = stage.agent!;
  const polled: number[] = [];
  const back: number[] = [];
  for (let n = 0; n < CUTS; n++) {
    // A new agent for each: the wait before the first dial after a good time is asked about, not the back-off.
    if (n > 0) {
      await agent.kill('SIGKILL');
      agent.start();
      await agent.ready((status) => status.websocket.up);
    }
    const id = `polled-${n}`;
    const cutAt = monotonicMs();
    hub.socketsOff(BENCH_AGENT, id);
    polled.push((await hub.see((seen) => seen.sent === id, 60_000)).at - cutAt);
    const openAt = monotonicMs();
    hub.socketsOn();
    back.push((await hub.see((seen) => seen.up === true && seen.at > openAt, 60_000)).at - openAt);
  }
  const [slowest, latest] = [Math.max(...polled), Math.max(...back)];
  return [
    {
      name: `socket closed → commands by polling, slowest of ${CUTS}`,
      unit: 'ms',
      goal: '≤ 1000',
      value: slowest,
      ok: slowest <= 1_000,
    },
    {
      name: `sockets let in again → socket open, slowest of ${CUTS}`,
      unit: 'ms',
      goal: '≤ 2000',
      value: latest,
      ok: latest <= 2_000,
    },
  ];
}

function threadOf(n: number): string {
  return `+155501000${10 + (Math.abs(n) % 80)}`;
}
