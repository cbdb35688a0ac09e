import type { ChatRow } from '../chatdb/types.ts';
import { findSelfEcho } from '../messaging/selfEcho.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Verdict } from './backfill.ts';
import type { EventDraft } from './classify.ts';
import { fingerprintOf } from './fingerprint.ts';
import { messageText } from './messageText.ts';
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
}

/**
 * Writes a whole message within the caller's transaction: one that may be posted, one that waits for company, or one
 * that is done because it is not handed over, with the reason. Of what privacy keeps back only the reason is told.
 */
export function admit(o: AdmitOptions, row: ChatRow, threadId: string, a: Admission): 'parked' | undefined {
  const { store, privacy } = o;
  const { guid, dateAt: messageAt } = row;
  const refusal = privacy.refuses(aboutOf(row, threadId));
  if (refusal !== undefined) {
    const details = { message_guid: guid, reason: refusal };
    const event = { event_id: `filtered:${guid}`, event_type: 'message_filtered' as const, details };
    store.events.insert({ ...event, thread_id: threadId }, a.now);
    a.told.hasEvents = true;
    skip(o, row, threadId, 'filtered', a);
    return undefined;
  }
  const echoed = findSelfEcho(store, row, threadId, a.now);
  if (echoed) {
    store.sends.markEcho(echoed.sendId, guid);
    skip(o, row, threadId, 'echo', a);
    return undefined;
  }
  const { key: fingerprint } = a;
  if (fingerprint !== undefined && a.mayBeKnown && isKnown(o.store, row, fingerprint, a.now)) {
    skip(o, row, threadId, 'duplicate', a);
    return undefined;
  }
  if (a.verdict === 'undecided') {
    park(o, row, a);
    return 'parked';
  }
  const backfill = a.verdict === 'backfill';
  const body = toRequest(row, threadId, { privacy, backfill, now: a.now });
  if (a.isParked) store.inbound.complete(guid, { threadId, body, backfill, messageAt, fingerprint });
  else store.inbound.insert({ ...placeOf(row, a), threadId, body, backfill, messageAt, fingerprint });
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

/** The row is done without being handed over. */
export function skip(o: AdmitOptions, row: ChatRow, threadId: string, reason: string, a: Admission): void {
  const { guid, dateAt: messageAt } = row;
  const { inbound } = o.store;
  if (a.isParked) inbound.skip(guid, reason, a.now);
  else {
    const fingerprint = reason === 'duplicate' ? undefined : a.key;
    const rest = { body: undefined, backfill: a.verdict === 'backfill', messageAt, fingerprint, skipped: reason };
    inbound.insert({ ...placeOf(row, a), threadId, ...rest });
  }
  if (a.isParked) a.told.isNews = true; // it held its thread up
  a.told.skipped({ guid, threadId, reason });
}

/** Writes an event a row stands for, unless its thread is private. `isOld`: it is old news. */
export function note(o: AdmitOptions, row: ChatRow, draft: EventDraft, a: { now: number; isOld: boolean; told: Told }) {
  const threadId = threadOf(row);
  if (o.privacy.refuses(aboutOf(row, threadId ?? '')) !== undefined) return;
  const details = a.isOld ? { ...draft.details, backfill: true } : draft.details;
  const event = { ...draft, details, ...(threadId === undefined ? {} : { thread_id: threadId }) };
  const about = draft.details.message_guid;
  if (!o.store.events.insert(event, a.now, typeof about === 'string' ? about : undefined)) return;
  a.told.noted({ eventType: draft.event_type, threadId: threadId ?? '', detail: draft.event_id });
}

function aboutOf(row: ChatRow, threadId: string) {
  return { threadId, sender: row.handle, service: row.service, text: messageText(row) };
}

function placeOf(row: ChatRow, { epoch, now }: { epoch: number; now: number }) {
  return { guid: row.guid, epoch, chatRowid: row.rowid, now };
}

/** What a message is known by under another guid. The date first: rows of one time stand together in the index, and a block does not dirty every page of it. */
export function keyOf(row: ChatRow): string | undefined {
  const fingerprint = fingerprintOf(row);
  return fingerprint === undefined ? undefined : `${row.rawDate}:${fingerprint}`;
}

/** iCloud inserts messages again under other guids; what is the same in sender, date and body is the same message. */
function isKnown(store: StateStore, row: ChatRow, fingerprint: string, now: number): boolean {
  const firstAt = store.inbound.firstWith(fingerprint, row.guid);
  if (firstAt === undefined) return false;
  const isWholeSecond = row.rawDate.length <= SECONDS_DIGITS || row.rawDate.endsWith('000000000');
  return !isWholeSecond || now - firstAt >= DOUBLE_TAP_MS;
}
