import process from 'node:process';
import { logTail } from '../ops/logTail.ts';
import { type Clock, sleep } from '../util/Clock.ts';
import { printable } from '../util/printable.ts';
import { paint, paintStatus } from './paint.ts';
import { renderStatus } from './renderStatus.ts';
import type { Taken } from './takeStatus.ts';

const EVERY_MS = 1_000;
/** Log lines printed with a change where there is no screen to fill. */
const LOG_LINES = 10;
/** Of the terminal: its second screen, without a cursor, cutting long lines. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
/** What the keys send in raw mode. */
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const REST_OF_SCREEN = '\u001b[J';

export interface WatchedStatus {
  take(): Promise<Taken>;
  readonly logFile: string;
  readonly isJson: boolean;
  out(text: string): void;
  readonly clock: Clock;
}

/**
 * `edge-agent status --watch`: on a terminal a screen drawn each second, until q or Ctrl-C; elsewhere a block, or with
 * --json an object a line, whenever something has changed.
 */
export async function watchStatus(o: WatchedStatus): Promise<void> {
  const abort = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => abort.abort());
  if (process.stdout.isTTY && !o.isJson) await onScreen(o, abort);
  else await inLines(o, abort.signal);
}

async function inLines({ take, logFile, isJson, out, clock }: WatchedStatus, signal: AbortSignal): Promise<void> {
  for (let before = ''; !signal.aborted; await sleep(clock, EVERY_MS, signal)) {
    const status = await take();
    const now = essence(status);
    if (now === before) continue;
    const log = logTail(logFile, LOG_LINES);
    if (isJson) out(`${printable(JSON.stringify({ ...status, log }))}\n`);
    else out(`${before === '' ? '' : '\n'}${renderStatus(status, logFile, log).join('\n')}\n`);
    before = now;
  }
}

/** Without what changes each second and says nothing. */
function essence(status: Taken): string {
  if (!status.running) return JSON.stringify(status);
  const { memory: _memory, websocket, ...rest } = status;
  const { round_trip_ms: _trip, last_frame_seconds_ago: _ago, ...socket } = websocket;
  return JSON.stringify({ ...rest, websocket: socket });
}

async function onScreen({ take, logFile, out, clock }: WatchedStatus, abort: AbortController): Promise<void> {
  let status: Taken | undefined;
  const draw = () => {
    if (!status) return;
    const lines = paintStatus(screenful(status, logFile, process.stdout.rows ?? 24), status);
    const foot = paint('dim', 'every second; q or Ctrl-C ends');
    out(`${HOME}${[...lines, foot].map((line) => line + REST_OF_LINE).join('\r\n')}${REST_OF_SCREEN}`);
  };
  const onKey = (keys: Buffer) => {
    if (['q', 'Q', CTRL_C, CTRL_D].some((key) => keys.includes(key))) abort.abort();
  };
  const { stdin, stdout } = process;
  out(ENTER);
  try {
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on('data', onKey);
    stdout.on('resize', draw);
    while (!abort.signal.aborted) {
      status = await take();
      draw();
      await sleep(clock, EVERY_MS, abort.signal);
    }
  } finally {
    stdout.off('resize', draw);
    stdin.off('data', onKey);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    out(LEAVE);
  }
}

/** As many lines as leave one for the foot: the log takes what the rest leaves. */
function screenful(status: Taken, logFile: string, rows: number): string[] {
  const room = Math.max(1, rows - 1);
  const log = logTail(logFile, room);
  const others = renderStatus(status, logFile, []).length; // without a log one line says so, with one it is the heading
  const left = Math.max(0, room - others);
  const lines = renderStatus(status, logFile, left === 0 ? log.slice(0, 1) : log.slice(-left));
  return lines.length <= room ? lines : [...lines.slice(0, room - 1), '… `edge-agent status` shows it all'];
}
