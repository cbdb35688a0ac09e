import type { StateStore } from '../state/StateStore.ts';
import { conditionOf, type Severity } from '../util/conditions.ts';
import { conditionName, ERRORS, type ErrorCode } from '../util/errors.ts';
import { type DeadLetter, deadLetter } from './deadLetters.ts';
import { behindCauses, type Condition, type HealthView } from './Health.ts';
import { maskHandle, maskIn } from './mask.ts';
import type { Phase } from './StatusReports.ts';
import type { WebsocketStatus } from './websocketStatus.ts';

/** Dead letters and muted threads shown; the counts tell how many there are. */
const MAX_SHOWN = 20;

/** What state.db says, whether an agent runs or not. Times are ISO 8601. */
export interface StoreStatus {
  readonly started_at: string | null;
  readonly stopped_at: string | null;
  readonly last_inbound_at: string | null;
  /** When the last bubble was told of as not sent, or as one that may have gone out. */
  readonly last_unsent_at: string | null;
  readonly queues: Queues;
  readonly cursor: { readonly epoch: number; readonly rowid: number } | null;
  readonly dead_letters: readonly DeadLetter[];
  /** Threads that get no automatic answer, see EDGE_ANSWER_LOOP. */
  readonly muted_threads: readonly MutedThread[];
}

/** How many rows of a kind there are. */
export interface Queues {
  /** Not to be handed over yet: incomplete, or undecided. */
  readonly inbound_parked: number;
  /** Of them: written long before what came last; whether they come alone says whether they are backfill. */
  readonly inbound_undecided: number;
  readonly inbound_pending: number;
  /** Of them. */
  readonly inbound_backfill: number;
  readonly dead_letters: number;
  readonly sends_queued: number;
  readonly sends_in_flight: number;
  readonly sends_failed: number;
  readonly sends_unknown: number;
  readonly schedules: number;
  readonly commands_open: number;
  readonly acks: number;
  /** To be told with the next sync. */
  readonly events: number;
  /** To be told once the message they are about was handed over. */
  readonly events_held: number;
  readonly threads_muted: number;
  /** Files to be sent that are not staged yet; each holds a bubble that is counted as queued. */
  readonly files_wanted: number;
  /** Files of messages that came in, to be uploaded. */
  readonly uploads: number;
  readonly uploads_failed: number;
}

interface MutedThread {
  /** Its last four characters. */
  readonly thread: string;
  readonly since: string;
  readonly until: string;
}

export interface ConditionStatus {
  readonly code: ErrorCode;
  /** For people and monitors, e.g. `automation-denied`. */
  readonly name: string;
  /** What stands, in a few words. */
  readonly title: string;
  readonly severity: Severity;
  /** What was met, in the words of who met it. */
  readonly text: string;
  readonly means: string;
  readonly fix: string;
  readonly since: string;
  /** While one of these stands this one is hidden. */
  readonly depends_on: readonly ErrorCode[];
  /** Seconds for which it has to stand before it is shown. */
  readonly visible_after: number;
}

interface ConditionsStatus {
  readonly conditions: readonly ConditionStatus[];
  /** Codes of those that follow from one of `conditions`. */
  readonly hidden_conditions: readonly ErrorCode[];
}

/** What `edge-agent status --json` prints of a running agent, and GET /status answers. */
export interface AgentStatus extends StoreStatus, ConditionsStatus {
  readonly running: true;
  readonly phase: Phase;
  readonly version: string;
  readonly agent_id: string;
  readonly pid: number;
  readonly websocket: WebsocketStatus;
  readonly delivery: 'websocket' | 'polling';
  /** `lacks`: what does not work because this chat.db has not every column. */
  readonly chatdb: { readonly path: string; readonly open: boolean; readonly lacks: readonly string[] };
  /** What sending.rate holds back, and when the first of it may go. */
  readonly sending: { readonly waiting_for_rate: number; readonly next_at: string | null };
  readonly memory: { readonly rss_bytes: number; readonly heap_used_bytes: number };
  readonly log_lines_lost: number;
}

/** The same of an agent that does not run: what it left behind, and the conditions that stood when it ended. */
export interface DownStatus extends StoreStatus, ConditionsStatus {
  readonly running: false;
  readonly version: string | null;
  readonly agent_id: string;
}

/** Of a store that holds nothing. */
export const NO_QUEUES: Queues = {
  inbound_parked: 0,
  inbound_undecided: 0,
  inbound_pending: 0,
  inbound_backfill: 0,
  dead_letters: 0,
  sends_queued: 0,
  sends_in_flight: 0,
  sends_failed: 0,
  sends_unknown: 0,
  schedules: 0,
  commands_open: 0,
  acks: 0,
  events: 0,
  events_held: 0,
  threads_muted: 0,
  files_wanted: 0,
  uploads: 0,
  uploads_failed: 0,
};

/** Of a state.db that is not there, or that nobody may open. */
export const NEVER_RAN: StoreStatus = {
  started_at: null,
  stopped_at: null,
  last_inbound_at: null,
  last_unsent_at: null,
  cursor: null,
  dead_letters: [],
  muted_threads: [],
  queues: NO_QUEUES,
};

/** Reads the part of the status that is in state.db. */
export function storeStatus(store: StateStore, now: number): StoreStatus {
  const inbound = store.inbound.counts();
  const sends = store.sends.counts();
  const uploads = store.uploads.counts();
  const epoch = store.epochs.latest();
  const muted = store.mutedThreads.muted(now);
  return {
    started_at: metaTime(store, 'started_at'),
    stopped_at: metaTime(store, 'stopped_at'),
    last_inbound_at: isoOrNull(store.inbound.lastAt()),
    last_unsent_at: isoOrNull(sends.lastUnsentAt),
    queues: {
      inbound_parked: inbound.parked,
      inbound_undecided: inbound.undecided,
      inbound_pending: inbound.pending,
      inbound_backfill: inbound.backfill,
      dead_letters: inbound.dead,
      sends_queued: sends.queued + sends.held,
      sends_in_flight: sends.sending + sends.accepted,
      sends_failed: sends.failed,
      sends_unknown: sends.unknown,
      schedules: store.schedules.pendingCount(),
      commands_open: store.commands.openCount(),
      acks: store.commands.acksWaitingCount(),
      events: store.events.waitingCount(),
      events_held: store.events.heldCount(),
      threads_muted: muted.length,
      files_wanted: store.outgoingFiles.wantedCount(),
      uploads: uploads.waiting,
      uploads_failed: uploads.failed,
    },
    cursor: epoch ? { epoch: epoch.epoch, rowid: epoch.cursorRowid } : null,
    dead_letters: store.inbound.deadLetters(MAX_SHOWN).map(deadLetter),
    muted_threads: muted.slice(0, MAX_SHOWN).map(({ threadId, sinceAt, untilAt }) => ({
      thread: maskHandle(threadId),
      since: iso(sinceAt),
      until: iso(untilAt),
    })),
  };
}

export function sendingStatus(held: { bubbles: number; nextAt: number | undefined }): AgentStatus['sending'] {
  return { waiting_for_rate: held.bubbles, next_at: isoOrNull(held.nextAt) };
}

export function conditionStatus({ code, since, detail }: Condition): ConditionStatus {
  const { title, severity, dependsOn, visibleAfterSeconds } = conditionOf(code);
  return {
    code,
    name: conditionName(code),
    title,
    severity,
    text: maskIn(detail),
    means: ERRORS[code].means,
    fix: ERRORS[code].fix,
    since: iso(since),
    depends_on: dependsOn,
    visible_after: visibleAfterSeconds,
  };
}

export function conditionsStatus({ shown, hidden }: HealthView): ConditionsStatus {
  return { conditions: shown.map(conditionStatus), hidden_conditions: hidden.map(({ code }) => code) };
}

/** Of conditions that all have stood for long enough. */
export function conditionsLeft(conditions: readonly Condition[]): ConditionsStatus {
  return conditionsStatus(behindCauses(conditions, new Set(conditions.map(({ code }) => code))));
}

/** Reads the conditions an agent stored (`meta.conditions`, JSON of Condition[]); codes of other versions are left out. */
export function storedConditions(store: StateStore): Condition[] {
  const stored = JSON.parse(store.meta.get('conditions') ?? '[]') as Condition[];
  return stored.filter(({ code }) => code in ERRORS);
}

/** Times in meta are ms since 1970 as text. */
function metaTime(store: StateStore, key: 'started_at' | 'stopped_at'): string | null {
  const text = store.meta.get(key);
  return text === undefined || !Number.isFinite(Number(text)) ? null : iso(Number(text));
}

function isoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : iso(ms);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
