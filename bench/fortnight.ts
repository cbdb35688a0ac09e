import { spawnSync } from 'node:child_process';
import type { BenchRow } from './BenchRow.ts';
import { type DayFigures, type Incidents, SimulatedDays } from './SimulatedDays.ts';

const DAYS = Number(process.env.DAYS ?? 14);
const MESSAGES_A_DAY = Number(process.env.MESSAGES_A_DAY ?? 400);
/** Less than the defaults of the configuration, so that rotation is seen at work. */
const LOG = { maxBytes: 500_000, maxFiles: 3 };
/** By day, from 1. From the last restart on one process lives to the end, which is what its memory is judged by. */
const INCIDENTS: Record<number, Incidents> = {
  2: { powerLoss: true },
  3: { upgrade: true },
  5: { sleeps: true },
  6: { outage: true },
  9: { sleeps: true, outage: true },
  12: { sleeps: true },
};
const LAST_RESTART = 3;
/** How long state.db keeps texts, days; from then on it grows by what is left of a row alone. */
const TEXTS_KEPT = 7;
const MB = 1e6;

/** Two weeks of an agent that nobody looks after: what it leaves on the disk, and what it takes of memory. Linux only. */
export async function run(): Promise<BenchRow[]> {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) throw new Error('the build failed');
  const found: DayFigures[] = [];
  const days = new SimulatedDays({ messagesADay: MESSAGES_A_DAY });
  try {
    await days.start(LOG);
    console.log(
      '| day | messages | bubbles | log lines | log MB | log kept MB | state.db MB | WAL MB | RSS MB | files | |',
    );
    console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
    for (let day = 1; day <= DAYS; day++) {
      const incidents = INCIDENTS[day] ?? {};
      found.push(await days.live(day - 1, incidents));
      console.log(`| ${[day, ...cells(found.at(-1)!), Object.keys(incidents).join(', ')].join(' | ')} |`);
    }
  } finally {
    await days.close();
  }
  return rowsOf(found);
}

function cells(day: DayFigures): (number | string)[] {
  const mb = (bytes: number) => (bytes / MB).toFixed(2);
  const { messages, bubbles, logLines, logBytes, logKeptBytes, stateBytes, walBytes, rssMegabytes, files } = day;
  const log = [logLines, mb(logBytes), mb(logKeptBytes)];
  return [messages, bubbles, ...log, mb(stateBytes), mb(walBytes), Math.round(rssMegabytes), files];
}

function rowsOf(days: readonly DayFigures[]): BenchRow[] {
  const most = (of: (day: DayFigures) => number) => Math.max(...days.map(of));
  const sum = (of: (day: DayFigures) => number) => days.reduce((all, day) => all + of(day), 0);
  const atMost = (name: string, unit: string, value: number, limit: number): BenchRow => {
    return { name, unit, goal: `≤ ${limit}`, value, ok: value <= limit };
  };
  const without = (name: string, unit: string, value: number): BenchRow => ({ name, unit, goal: '', value, ok: true });
  const settled = days.slice(TEXTS_KEPT);
  const lasting = days.slice(LAST_RESTART);
  const growth = (part: readonly DayFigures[]) => slope(part.map(({ stateBytes }) => stateBytes / MB));
  const [young, old] = [growth(days.slice(0, TEXTS_KEPT)), growth(settled)];
  return [
    without(
      `messages in ${days.length} days`,
      'messages',
      sum(({ messages }) => messages),
    ),
    without(
      '… and bubbles out, each once',
      'bubbles',
      sum(({ bubbles }) => bubbles),
    ),
    atMost(
      'log lines a message, of all days',
      'lines',
      sum(({ logLines }) => logLines) / sum(({ messages }) => messages),
      10,
    ),
    atMost(
      'log lines in a quiet hour, at most',
      'lines',
      most(({ quietLines }) => quietLines),
      2,
    ),
    atMost('log written a day, at most', 'MB', most(({ logBytes }) => logBytes) / MB, 1),
    atMost(
      'log kept, at most',
      'MB',
      most(({ logKeptBytes }) => logKeptBytes) / MB,
      (LOG.maxBytes * LOG.maxFiles) / MB,
    ),
    without('state.db at the end', 'MB', days.at(-1)!.stateBytes / MB),
    without(`… growth a day, days 1 to ${TEXTS_KEPT}`, 'MB', young),
    atMost('… growth a day after that', 'MB', old, 0.75),
    atMost('WAL, at most', 'MB', most(({ walBytes }) => walBytes) / MB, 16),
    atMost('everything else in state.dir', 'MB', most(({ otherBytes }) => otherBytes) / MB, 1),
    atMost(
      'RSS at a day’s end, at most',
      'MB',
      most(({ rssMegabytes }) => rssMegabytes),
      150,
    ),
    atMost('… growth a day of one process', 'MB', slope(lasting.map(({ rssMegabytes }) => rssMegabytes)), 1),
    atMost('open files, more than after a day', 'files', days.at(-1)!.files - days[0]!.files, 8),
    atMost(
      'conditions at a day’s end',
      'conditions',
      most(({ conditions }) => conditions),
      0,
    ),
  ];
}

/** Of the straight line nearest to one value a day, by least squares; NaN for fewer than two. */
function slope(values: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [x, y] = [(values.length - 1) / 2, mean(values)];
  return mean(values.map((value, day) => (day - x) * (value - y))) / mean(values.map((_, day) => (day - x) ** 2));
}
