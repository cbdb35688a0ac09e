import type { InboundRow } from '../state/Inbound.ts';
import type { StateStore } from '../state/StateStore.ts';
import { ERRORS, type ErrorCode } from '../util/errors.ts';
import type { Condition } from './Health.ts';
import { maskHandle, maskIn } from './mask.ts';

/** Dead letters shown; the count tells how many there are. */
const MAX_DEAD_LETTERS = 20;
/** Characters of a dead letter's status and body shown. */
const MAX_DETAIL = 200;

/** What state.db says, whether an agent runs or not. Times are ISO 8601. */
export interface StoreStatus {
  readonly started_at: string | null;
  readonly stopped_at: string | null;
  readonly last_inbound_at: string | null;
  readonly queues: {
    readonly inbound_parked: number;
    readonly inbound_pending: number;
    readonly dead_letters: number;
    readonly sends_queued: number;
    readonly sends_in_flight: number;
    readonly sends_failed: number;
    readonly sends_unknown: number;
    readonly schedules: number;
    readonly commands_open: number;
    readonly acks: number;
    readonly events: number;
  };
  readonly cursor: { readonly epoch: number; readonly rowid: number } | null;
  readonly dead_letters: readonly DeadLetter[];
}

export interface DeadLetter {
  readonly guid: string;
  /** The last four characters of the thread. */
  readonly thread: string;
  readonly code: string | null;
  /** The backend's status and the beginning of its body. */
  readonly detail: string;
  readonly since: string;
}

export interface ConditionStatus {
  readonly code: ErrorCode;
  readonly since: string;
  readonly detail: string;
  readonly means: string;
  readonly fix: string;
}

/** What `edge-agent status --json` prints of a running agent, and GET /status answers. */
export interface AgentStatus extends StoreStatus {
  readonly running: true;
  readonly version: string;
  readonly agent_id: string;
  readonly pid: number;
  readonly websocket: { readonly up: boolean; readonly since: string | null };
  readonly delivery: 'websocket' | 'polling';
  readonly chatdb: { readonly path: string; readonly open: boolean };
  readonly conditions: readonly ConditionStatus[];
  readonly memory: { readonly rss_bytes: number; readonly heap_used_bytes: number };
  readonly log_lines_lost: number;
}

/** The same of an agent that does not run: what it left behind. */
export interface DownStatus extends StoreStatus {
  readonly running: false;
  readonly version: string | null;
  readonly agent_id: string;
  /** Those that stood when it ended. */
  readonly conditions: readonly ConditionStatus[];
}

/** Reads the part of the status that is in state.db. */
export function storeStatus(store: StateStore): StoreStatus {
  const inbound = store.inbound.counts();
  const sends = store.sends.counts();
  const epoch = store.epochs.latest();
  return {
    started_at: metaTime(store, 'started_at'),
    stopped_at: metaTime(store, 'stopped_at'),
    last_inbound_at: isoOrNull(store.inbound.lastAt()),
    queues: {
      inbound_parked: inbound.parked,
      inbound_pending: inbound.pending,
      dead_letters: inbound.dead,
      sends_queued: sends.queued + sends.held,
      sends_in_flight: sends.sending + sends.accepted,
      sends_failed: sends.failed,
      sends_unknown: sends.unknown,
      schedules: store.schedules.pendingCount(),
      commands_open: store.commands.openCount(),
      acks: store.commands.acksWaitingCount(),
      events: store.events.waitingCount(),
    },
    cursor: epoch ? { epoch: epoch.epoch, rowid: epoch.cursorRowid } : null,
    dead_letters: store.inbound.deadLetters(MAX_DEAD_LETTERS).map(deadLetter),
  };
}

export function conditionStatus({ code, since, detail }: Condition): ConditionStatus {
  return { code, since: iso(since), detail: maskIn(detail), means: ERRORS[code].means, fix: ERRORS[code].fix };
}

/** Reads the conditions an agent stored (`meta.conditions`, JSON of Condition[]); codes of other versions are left out. */
export function storedConditions(store: StateStore): ConditionStatus[] {
  const stored = JSON.parse(store.meta.get('conditions') ?? '[]') as Condition[];
  return stored.filter(({ code }) => code in ERRORS).map(conditionStatus);
}

function deadLetter(row: InboundRow): DeadLetter {
  return {
    guid: row.guid,
    thread: row.threadId === null ? 'unknown' : maskHandle(row.threadId),
    code: row.errorCode,
    detail: maskIn(row.errorDetail ?? '').slice(0, MAX_DETAIL),
    since: iso(row.createdAt),
  };
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
