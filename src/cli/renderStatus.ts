import type { AgentStatus, Queues, StoreStatus } from '../ops/status.ts';
import { type Waiting, waitedFor } from '../ops/waiting.ts';
import type { WebsocketState, WebsocketStatus } from '../ops/websocketStatus.ts';
import { systemClock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import { printable, shellWord } from '../util/printable.ts';
import { conditionLines } from './conditionLines.ts';
import { endedLines } from './endedLines.ts';
import type { Taken } from './takeStatus.ts';

const SOCKET: Readonly<Record<WebsocketState, string>> = {
  stopped: 'off',
  connecting: 'connecting, down',
  live: 'connected',
  waiting: 'not connected',
  halted: 'halted, not connected',
};
/** Dead letters shown: all of it has to fit a screen. */
const LETTERS = 5;
/** Width of the column of labels, characters. */
const LABEL = 15;

/**
 * The status for a person, line by line: the state first, then what waits, what is wrong with its fix, and the last of the
 * log.
 */
export function renderStatus(status: Taken, logFile: string, log: readonly string[]): string[] {
  return [
    headline(status),
    ...(status.running
      ? live(status)
      : (status.ended ? endedLines(status.ended) : []).flatMap(([label, text]) => lines(label, text))),
    ...(status.running ? [...waitsBeside(status), ...unlisted(status), ...lastRun(status)] : []),
    ...(status.running || status.stored
      ? figures(status)
      : ['  state.db       is gone, or cannot be read from here: what was taken in and sent is not known']),
    ...conditionLines(status, ago),
    ...(status.dead_letters.length > 0 ? ['', `Dead letters (${status.queues.dead_letters})`] : []),
    ...status.dead_letters
      .slice(0, LETTERS)
      .flatMap(({ guid, thread, code, detail, since }) => [
        `  ${guid} from ${thread}, ${ago(since)}: ${code ?? ''} ${oneLine(detail)}`,
        `    edge-agent retry ${shellWord(guid)}`,
      ]),
    ...moreLetters(status.queues.dead_letters),
    '',
    log.length > 0 ? `Log (${logFile})` : `There is no log at ${logFile}.`,
    ...log.map((line) => `  ${line}`),
  ].map(printable);
}

/** What is known of the work: from the agent, or from state.db. */
function figures(status: Taken): string[] {
  const { cursor } = status;
  const at = cursor ? `taken in up to ROWID ${cursor.rowid} of epoch ${cursor.epoch}` : 'nothing taken in yet';
  return [
    `  chat.db        ${at}${status.running && !status.chatdb.open ? ', cannot be read now' : ''}`,
    ...(status.running ? lines('without', status.chatdb.lacks) : []),
    `  last inbound   ${ago(status.last_inbound_at)}`,
    ...lines('waiting', waiting(status.queues), 'nothing'),
    ...(status.running ? lines('held back', heldBack(status)) : []),
    ...lines('given up', givenUp(status)),
    ...lines('muted', muted(status)),
  ];
}

function unlisted({ plist_missing }: Extract<Taken, { running: true }>): string[] {
  const gone = 'its property list is gone, so it will not start at the next login: `edge-agent service install`';
  return plist_missing ? lines('launchd', [gone]) : [];
}

/** Posts and bubbles are looked after by the agent; who kills it, or takes its power, is for a person to find. */
function lastRun({ killed_before: killed, failed_before: failed }: Extract<Taken, { running: true }>): string[] {
  if (failed) return lines('last run', [`ended by itself at ${ago(failed.at)} with ${failed.code}`]);
  if (!killed) return [];
  const often = killed.today > 1 ? `, ${killed.today} times within a day` : '';
  return lines('last run', [`killed, or the Mac lost its power, at about ${ago(killed.at)}${often}`]);
}

/** launchd's agent, while another has the state. */
function waitsBeside({ waiting, pid }: Extract<Taken, { running: true }>): string[] {
  if (!waiting || waiting.pid === pid) return [];
  const { code, since } = waiting;
  return lines('launchd', [
    `its agent, process ${waiting.pid}, waits since ${ago(since)} (${code}) and starts when this one has ended`,
    `to have launchd's at work, end this one: kill ${pid}; to leave it at this one: \`edge-agent service stop\``,
  ]);
}

function moreLetters(dead: number): string[] {
  return dead > LETTERS ? [`  and ${dead - LETTERS} more: \`edge-agent dead-letters\` lists them`] : [];
}

function headline(status: Taken): string {
  if (status.running) {
    const { version, agent_id, pid, started_at } = status;
    return `edge-agent ${version} runs as ${agent_id}, process ${pid}, since ${ago(started_at)}`;
  }
  const { agent_id, started_at, stopped_at, ended } = status;
  const reason = status.waiting ? waits(status.waiting) : why(status);
  if (reason) return `edge-agent ${reason.replace('…', agent_id)}`;
  if (ended?.why === 'starting')
    return `edge-agent starts as ${agent_id}: its process is there and does not answer yet`;
  if (ended !== null && !status.stored) return `edge-agent does not run as ${agent_id}`;
  if (started_at === null) return `edge-agent does not run as ${agent_id}, and never has with this state.dir`;
  const inOrder = stopped_at !== null && stopped_at >= started_at;
  const end = inOrder ? `stopped ${ago(stopped_at)}` : 'ended without stopping in order';
  return `edge-agent does not run as ${agent_id}; it was started ${ago(started_at)} and ${end}`;
}

function waits(waiting: Waiting): string {
  const { since, pid } = waiting;
  return `does not run as …: it waits for ${waitedFor(waiting)}, and starts by itself then; process ${pid}, since ${ago(since)}`;
}

/** What the process that is there says, or is, that does not work: its conditions stand. */
function why({ conditions, ended }: Extract<Taken, { running: false }>): string | undefined {
  const stands = (...codes: ErrorCode[]) => conditions.find(({ code }) => codes.includes(code));
  if (stands('EDGE_CRASH_LOOP')) {
    return 'does not run as …: it failed again and again, and its next start is held back';
  }
  if (stands('EDGE_NOT_ANSWERING')) return 'does not answer as …, though its process is there';
  if (ended !== null) return undefined; // no process is there that would wait
  const waits = stands('EDGE_CONFIG_INVALID', 'EDGE_STATE_NEWER', 'EDGE_SQLITE_MISSING');
  return waits && `does not run as …: it waits for ${waits.name} to be mended, and starts by itself then`;
}

function live({ websocket, delivery, memory, log_lines_lost }: AgentStatus): string[] {
  const commands = delivery === 'websocket' ? 'over it' : 'by HTTP polling';
  const since = websocket.since ? ` since ${ago(websocket.since)}` : '';
  return [
    ...lines('WebSocket', [
      `${SOCKET[websocket.state]}${since}; commands come ${commands}`,
      ...socketDetails(websocket),
    ]),
    `  memory         ${Math.round(memory.rss_bytes / 1e6)} MB`,
    ...(log_lines_lost > 0 ? [`  log            ${log_lines_lost} lines could not be written`] : []),
  ];
}

function socketDetails({ state, round_trip_ms, failures, next_dial_at, last_problem }: WebsocketStatus): string[] {
  if (state === 'live') return round_trip_ms === null ? [] : [`a ping takes ${round_trip_ms} ms`];
  const tries = counted([[failures, 'failure in a row', 'failures in a row']]);
  return [
    ...(next_dial_at ? [`next try at ${[next_dial_at, ...tries].join(', after ')}`] : []),
    ...(last_problem ? [`last problem: ${problem(last_problem)}`] : []),
  ];
}

/** The code only where the text does not have it already. */
function problem({ code, text }: NonNullable<WebsocketStatus['last_problem']>): string {
  const shown = oneLine(text);
  return shown.includes(code.replace('status_', '')) ? shown : `${code}: ${shown}`;
}

/** What goes on by itself. */
function waiting(queues: Queues): string[] {
  const { inbound_pending, inbound_backfill, inbound_parked, inbound_undecided } = queues;
  return counted([
    [inbound_pending - inbound_backfill, 'message for the backend', 'messages for the backend'],
    [inbound_backfill, 'backfill message', 'backfill messages'],
    [inbound_parked - inbound_undecided, 'row that is not whole yet', 'rows that are not whole yet'],
    [inbound_undecided, 'row that may be backfill', 'rows that may be backfill'],
    [queues.sends_queued, 'bubble to be sent', 'bubbles to be sent'],
    [queues.sends_in_flight, 'bubble under way', 'bubbles under way'],
    [queues.files_wanted, 'file to be fetched for a bubble', 'files to be fetched for bubbles'],
    [queues.uploads, 'file to be uploaded', 'files to be uploaded'],
    [queues.schedules, 'schedule', 'schedules'],
    [queues.commands_open, 'open command', 'open commands'],
    [queues.acks, 'ack', 'acks'],
    [queues.events, 'event for the next sync', 'events for the next sync'],
    [queues.events_held, 'event about a message that goes first', 'events about messages that go first'],
  ]);
}

/** What goes on by itself, but slower than it came. */
function heldBack({ sending }: AgentStatus): string[] {
  const held = counted([[sending.waiting_for_rate, 'bubble', 'bubbles']]);
  return held.map((bubbles) => `${bubbles} by sending.rate, the next goes at ${sending.next_at}`);
}

/** What nobody goes on with by itself. */
function givenUp({ queues, last_unsent_at }: StoreStatus): string[] {
  const { dead_letters, sends_failed, sends_unknown, uploads_failed } = queues;
  const given = counted([
    [dead_letters, 'dead letter', 'dead letters'],
    [sends_failed, 'bubble not sent', 'bubbles not sent'],
    [sends_unknown, 'bubble that may have gone out', 'bubbles that may have gone out'],
    [uploads_failed, 'file not uploaded', 'files not uploaded'],
  ]);
  if (!last_unsent_at) return given; // an agent of before 0.2 says nothing of it
  const which = 'which bubbles: `edge-agent export --what receipts --text --since 7d`';
  return [...given, `the last bubble ${ago(last_unsent_at)}`, which];
}

function muted({ muted_threads, queues }: StoreStatus): string[] {
  const more = queues.threads_muted - muted_threads.length;
  return [
    ...muted_threads.map(
      ({ thread, until }) => `${thread} gets no automatic answers until ${until} (EDGE_ANSWER_LOOP)`,
    ),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** Those that are not 0. */
function counted(counts: readonly (readonly [count: number, one: string, many: string])[]): string[] {
  return counts.filter(([count]) => count > 0).map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
}

/** A line for each, the label before the first. */
function lines(label: string, values: readonly string[], none?: string): string[] {
  const shown = values.length === 0 && none !== undefined ? [none] : values;
  return shown.map((value, index) => `  ${(index === 0 ? label : '').padEnd(LABEL)}${value}`);
}

function ago(time: string | null): string {
  if (time === null) return 'never';
  const seconds = Math.max(0, Math.round((systemClock.now() - Date.parse(time)) / 1000));
  const steps: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const [size, unit] = steps.find(([step]) => seconds >= step) ?? [1, 's'];
  return `${time} (${Math.floor(seconds / size)} ${unit} ago)`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
