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
/** How long state.db keeps rows, days: from then on each new one takes the place of an old one. */
const ROWS_KEPT = 90;
/** What case S8 of the fault suite allows a year of 2,700 messages a day, MB. */
const MAX_STATE = 200;
const QUIET_LINES = 2;
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
    for (const { quietLines } of found) if (quietLines.length > QUIET_LINES) console.log(quietLines.join('\n'));
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
  const lasting = days.slice(LAST_RESTART);
  const growth = slope(days.map(({ stateBytes }) => stateBytes / MB));
  const last = days.at(-1)!.stateBytes / MB;
  const largest = last + growth * (ROWS_KEPT - days.length);
  return [
    without(
      `messages in ${days.length} days`,
      'messages',
      sum(({ messages }) => messages),
    ),
    without(
      '… and bubbles out, as many as were due',
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
      most(({ quietLines }) => quietLines.length),
      QUIET_LINES,
    ),
    atMost('log written a day, at most', 'MB', most(({ logBytes }) => logBytes) / MB, 1),
    atMost(
      'log kept, at most',
      'MB',
      most(({ logKeptBytes }) => logKeptBytes) / MB,
      (LOG.maxBytes * LOG.maxFiles) / MB,
    ),
    without('state.db at the end', 'MB', last),
    without('… growth a day', 'MB', growth),
    atMost(`… at that pace after ${ROWS_KEPT} days, its largest`, 'MB', largest, MAX_STATE),
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
