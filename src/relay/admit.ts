import type { ChatRow } from '../chatdb/types.ts';
import { findSelfEcho } from '../messaging/selfEcho.ts';
import type { MessageRequest } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import { aboutOf } from './aboutRow.ts';
import type { Verdict } from './backfill.ts';
import type { EventDraft, Missing, Settled } from './classify.ts';
import { fingerprintOf } from './fingerprint.ts';
import { senderOf } from './parties.ts';
import type { PrivacyFilter } from './privacy.ts';
import type { Told } from './Told.ts';
import { threadOf, toRequest } from './toRequest.ts';

/**
 * How long after a message of a whole second one that is the same counts as the same, ms. SMS dates have no more than
 * seconds, and people tap twice.
 */
const DOUBLE_TAP_MS = 120_000;
/** Digits of a date in seconds, at most; more are nanoseconds. */
const SECONDS_DIGITS = 11;

export interface AdmitOptions {
  store: StateStore;
  privacy: PrivacyFilter;
  /** A message was queued: what is to be said of it once the transaction is through. */
  onAdmitted?: ((row: ChatRow) => void) | undefined;
  /** Within the transaction that queues a message: its files are noted. @default none */
  wantFiles?: ((row: ChatRow, body: MessageRequest, a: { threadId: string; now: number }) => void) | undefined;
}

/** What a row is written with. */
export interface Admission {
  epoch: number;
  now: number;
  /** Its row is in state.db and parked. */
  isParked: boolean;
  verdict: Verdict;
  told: Told;
  /** See `keyOf`. */
  key: string | undefined;
  /** False: it is known already that no row of state.db has the key. */
  mayBeKnown: boolean;
  /** Set where it has waited in vain for a part of it. */
  lacks?: Missing | undefined;
}

/**
 * Writes a whole message within the caller's transaction: one that may be posted, one that waits for company, or one
 * that is done because it is not handed over, with the reason. Of what privacy keeps back only the reason is told.
 */
export function admit(o: AdmitOptions, row: ChatRow, threadId: string, a: Admission): 'parked' | undefined {
  const { store, privacy } = o;
  const { guid, dateAt: messageAt } = row;
  const { key: fingerprint } = a;
  // First: what is inserted again was refused, or given back, when it came before.
  if (isTakenBefore(store, row, a)) {
    skip(o, row, threadId, 'duplicate', a);
    return undefined;
  }
  const refusal = privacy.refuses(aboutOf(row, threadId));
  if (refusal !== undefined) {
    const details = { message_guid: guid, reason: refusal };
    const event = { event_id: `filtered:${guid}`, event_type: 'message_filtered' as const, details };
    // Reactions that came while it was parked.
    if (a.isParked) store.events.forgetAbout(guid);
    store.events.insert({ ...event, thread_id: threadId }, a.now);
    a.told.hasEvents = true;
    skip(o, row, threadId, 'filtered', a, `filtered, ${refusal}`);
    return undefined;
  }
  const echoed = findSelfEcho(store, row, threadId, a.now);
  if (echoed) {
    store.sends.markEcho(echoed.sendId, guid);
    skip(o, row, threadId, 'echo', a);
    return undefined;
  }
  if (a.verdict === 'undecided') {
    park(o, row, a);
    return 'parked';
  }
  const backfill = a.verdict === 'backfill';
  const body = toRequest(withKnownReply(store, row), threadId, { privacy, backfill, now: a.now });
  if (a.isParked) store.inbound.complete(guid, { threadId, body, backfill, messageAt, fingerprint });
  else store.inbound.insert({ ...placeOf(row, a), threadId, body, backfill, messageAt, fingerprint });
  if (body.attachments) o.wantFiles?.(row, body, { threadId, now: a.now });
  a.told.received({ guid, threadId, backfill, text: body.filtered_text });
  const { decodeError } = row;
  if (decodeError !== undefined || o.onAdmitted) {
    a.told.later((telemetry) => {
      if (decodeError !== undefined) telemetry.bodyUndecodable(guid, decodeError, row.bodyBytes);
      o.onAdmitted?.(row);
    });
  }
  return undefined;
}

/** The message it answers, by the guid that the backend knows. */
function withKnownReply(store: StateStore, row: ChatRow): ChatRow {
  const { replyToGuid } = row;
  return replyToGuid === undefined ? row : { ...row, replyToGuid: store.changes.guidOf(replyToGuid) };
}

/**
 * Parks a row. Without its chat it is taken for one of its sender's thread, which most are, so that what the sender
 * writes next does not overtake it. What may be backfill holds up nobody but backfill.
 */
export function park(o: AdmitOptions, row: ChatRow, a: Pick<Admission, 'epoch' | 'now' | 'verdict' | 'key'>): void {
  const { key: fingerprint, verdict } = a;
  o.store.inbound.insert({
    ...placeOf(row, a),
    threadId: threadOf(row) ?? null,
    body: undefined,
    backfill: verdict !== 'live',
    undecided: verdict === 'undecided',
    messageAt: row.dateAt,
    fingerprint,
  });
}

/** A message that is not handed over for what it is, with its event; inserted again it tells nothing new. */
export function pass(
  o: AdmitOptions,
  row: ChatRow,
  threadId: string,
  { reason, event }: Extract<Settled, { kind: 'skipped' }>,
  a: Admission & { isOld: boolean },
): void {
  const isKnown = isTakenBefore(o.store, row, a);
  if (event && !isKnown) note(o, row, event, a);
  skip(o, row, threadId, isKnown ? 'duplicate' : reason, a);
}

/** The row is done without being handed over; `inWords` is the reason as the log has it. */
export function skip(
  o: AdmitOptions,
  row: ChatRow,
  threadId: string,
  reason: string,
  a: Admission,
  inWords = reason,
): void {
  const { guid, dateAt: messageAt } = row;
  const { inbound } = o.store;
  const { key: fingerprint } = a;
  if (a.isParked) inbound.skip(guid, reason, a.now, fingerprint);
  else {
    const rest = { body: undefined, backfill: a.verdict === 'backfill', messageAt, fingerprint, skipped: reason };
    inbound.insert({ ...placeOf(row, a), threadId, ...rest });
  }
  if (a.isParked) a.told.unparked();
  a.told.skipped({ guid, threadId, reason: inWords });
}

/** Writes an event a row stands for, unless its thread is private. `isOld`: it is old news. */
export function note(o: AdmitOptions, row: ChatRow, draft: EventDraft, a: { now: number; isOld: boolean; told: Told }) {
  const threadId = threadOf(row);
  if (o.privacy.refuses(aboutOf(row, threadId ?? '')) !== undefined) return;
  const about = draft.details.message_guid;
  // Of a message that is kept back nothing is told, whoever reacts to it.
  if (typeof about === 'string' && about !== row.guid && o.store.inbound.byGuid(about)?.skipped === 'filtered') return;
  const details = a.isOld ? { ...draft.details, backfill: true } : draft.details;
  const event = { ...draft, details, ...(threadId === undefined ? {} : { thread_id: threadId }) };
  if (!o.store.events.insert(event, a.now, typeof about === 'string' ? about : undefined)) return;
  const { change, reaction } = draft.details;
  const detail = [change ?? reaction, draft.event_id].filter((part) => part !== undefined).join(', ');
  a.told.noted({ eventType: draft.event_type, threadId: threadId ?? '', detail });
}

function placeOf(row: ChatRow, { epoch, now }: { epoch: number; now: number }) {
  return { guid: row.guid, epoch, chatRowid: row.rowid, now };
}

/**
 * What knows a message under another guid, as state.db keeps it. The date first: rows of one time stand together in the
 * index, and a block does not dirty every page of it.
 */
export function keyOf(row: ChatRow): string | undefined {
  const fingerprint = fingerprintOf(row);
  return fingerprint === undefined ? undefined : `${startOf(row)}:${fingerprint}`;
}

/** When and by whom, which is all that is left of a message that was unsent, or of a row that was never whole. */
function startOf(row: ChatRow): string {
  return `${row.rawDate}:${senderOf(row)}`;
}

/** iCloud inserts messages again under other guids; what is the same in sender, date and body is the same message. */
function isTakenBefore(
  store: StateStore,
  row: ChatRow,
  { key, mayBeKnown, now, lacks }: Pick<Admission, 'key' | 'mayBeKnown' | 'now' | 'lacks'>,
): boolean {
  if (key === undefined) return false;
  const isWholeSecond = row.rawDate.length <= SECONDS_DIGITS || row.rawDate.endsWith('000000000');
  const isPart = lacks !== undefined || (row.summary?.unsentParts.length ?? 0) > 0;
  if (isPart && !isWholeSecond && store.inbound.startsWith(startOf(row), row.guid)) return true;
  // Of the other no words were left to know this one by, and whoever took them back means these as well.
  if (!isWholeSecond && store.inbound.wasUnsent(startOf(row), row.guid)) return true;
  if (!mayBeKnown) return false;
  const firstAt = store.inbound.firstWith(key, row.guid);
  if (firstAt === undefined) return false;
  // A first time ahead of now is long ago as well: the wall clock was set back.
  return !isWholeSecond || Math.abs(now - firstAt) >= DOUBLE_TAP_MS;
}
