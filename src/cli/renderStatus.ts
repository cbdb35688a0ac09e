import type { AgentStatus, DownStatus, StoreStatus } from '../ops/status.ts';
import { systemClock } from '../util/Clock.ts';
import { printable, shellWord } from '../util/printable.ts';

/** The status for a person: the state first, then what waits, what is wrong with its fix, and the last of the log. */
export function renderStatus(status: AgentStatus | DownStatus, logFile: string, log: readonly string[]): string {
  return [
    headline(status),
    ...(status.running ? live(status) : []),
    `  chat.db        ${status.cursor ? `taken in up to ROWID ${status.cursor.rowid} of epoch ${status.cursor.epoch}` : 'nothing taken in yet'}${status.running && !status.chatdb.open ? ', cannot be read now' : ''}`,
    `  last inbound   ${ago(status.last_inbound_at)}`,
    `  waiting        ${counted(status.queues, (name) => !GIVEN_UP.includes(name)) || 'nothing'}`,
    ...[counted(status.queues, (name) => GIVEN_UP.includes(name))]
      .filter(Boolean)
      .map((some) => `  given up       ${some}`),
    ...(status.conditions.length > 0 ? ['', status.running ? 'Conditions' : 'Conditions when it ended'] : []),
    ...status.conditions.flatMap(({ code, since, detail, means, fix }) => [
      `  ${code} since ${ago(since)}: ${detail}`,
      `    ${means}`,
      `    ${fix}`,
    ]),
    ...(status.dead_letters.length > 0 ? ['', `Dead letters (${status.queues.dead_letters})`] : []),
    ...status.dead_letters.flatMap(({ guid, thread, code, detail, since }) => [
      printable(`  ${guid} from ${thread}, ${ago(since)}: ${code ?? ''} ${oneLine(detail)}`),
      printable(`    edge-agent retry ${shellWord(guid)}`),
    ]),
    '',
    log.length > 0 ? `Log (${logFile})` : `There is no log at ${logFile}.`,
    ...log.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function headline(status: AgentStatus | DownStatus): string {
  if (status.running) {
    const { version, agent_id, pid, started_at } = status;
    return `edge-agent ${version} runs as ${agent_id}, process ${pid}, since ${ago(started_at)}`;
  }
  const { agent_id, started_at, stopped_at } = status;
  if (started_at === null) return `edge-agent does not run as ${agent_id}, and never has with this state.dir`;
  const inOrder = stopped_at !== null && stopped_at >= started_at;
  const end = inOrder ? `stopped ${ago(stopped_at)}` : 'ended without stopping in order';
  return `edge-agent does not run as ${agent_id}; it was started ${ago(started_at)} and ${end}`;
}

function live({ websocket, delivery, memory, log_lines_lost }: AgentStatus): string[] {
  const socket = websocket.up ? 'connected' : 'not connected';
  const commands = delivery === 'websocket' ? 'over it' : 'by HTTP polling';
  return [
    `  WebSocket      ${socket}${websocket.since ? ` since ${ago(websocket.since)}` : ''}; commands come ${commands}`,
    `  memory         ${Math.round(memory.rss_bytes / 1e6)} MB`,
    ...(log_lines_lost > 0 ? [`  log            ${log_lines_lost} lines could not be written`] : []),
  ];
}

/** What nobody goes on with by itself. */
const GIVEN_UP = ['dead_letters', 'sends_failed', 'sends_unknown'];

/** The counts that are not 0: '1 ack, 2 sends queued'. */
function counted(queues: StoreStatus['queues'], isMeant: (name: string) => boolean): string {
  return Object.entries(queues)
    .filter(([name, count]) => count > 0 && isMeant(name))
    .map(([name, count]) => `${count} ${(count === 1 ? name.replace(/s(?=_|$)/, '') : name).replaceAll('_', ' ')}`)
    .join(', ');
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
  return text.replace(/[\s\p{Cc}]+/gu, ' ');
}
