import { onTestFinished } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { Intake } from '../../src/relay/Intake.ts';
import { createPrivacyFilter } from '../../src/relay/privacy.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { FakeSource, openStore } from './fakes.ts';

export const FILE = { dev: '1', ino: '100' };

/** Intake before a chat.db that is an array, with a real state.db. */
export function setUp(change: { denyThreads?: string[]; source?: FakeSource; attachmentWaitSeconds?: number } = {}) {
  const clock = new FakeClock();
  const opened = openStore(clock);
  const { telemetry, calls } = recordingTelemetry();
  let { store } = opened;
  let posts = 0;
  const backfill: number[] = [];
  let eventTellings = 0;
  const admitted: string[] = [];
  const readFailures: string[] = [];
  const make = () => {
    const made = new Intake({
      store,
      clock,
      telemetry,
      privacy: createPrivacyFilter({ redact: [], denyThreads: change.denyThreads ?? [] }),
      chatDbPath: '/chat.db',
      answerMaxAgeSeconds: 3_600,
      attachmentWaitSeconds: change.attachmentWaitSeconds ?? 15,
      onInbound: (count) => {
        posts++;
        if (count > 0) backfill.push(count);
      },
      onEvents: () => eventTellings++,
      onAdmitted: ({ guid }) => admitted.push(guid),
      onReadFailed: ({ code }) => readFailures.push(code),
    });
    onTestFinished(() => made.stop());
    return made;
  };
  const source = change.source ?? new FakeSource();
  let intake = make();
  intake.opened(source, FILE);
  return {
    clock,
    get store() {
      return store;
    },
    path: opened.path,
    source,
    intake,
    /** The one that runs now; after a crash it is another. */
    current: () => intake,
    make,
    told: (event: string) => calls.filter((call) => call.event === event).map((call) => call.args),
    posts: () => posts,
    /** How often it was said that events are there to be told. */
    eventTellings: () => eventTellings,
    backfill,
    admitted,
    readFailures,
    put: (...rows: ChatRow[]) => intake.changed(source.add(...rows)),
    /** The process dies where it is and is started again. */
    crash: () => {
      intake.stop();
      store.close();
      store = StateStore.open(opened.path, clock.now());
      intake = make();
      intake.opened(source, FILE);
    },
    state: (rowid: number) => store.inbound.byGuid(`guid-${rowid}`)?.state,
    body: (rowid: number) => JSON.parse(store.inbound.byGuid(`guid-${rowid}`)!.body!),
    cursor: () => store.epochs.latest()!.cursorRowid,
    /** What became of a row, in a word. */
    fate: (guid: string) => fateOf(store, guid),
  };
}

/** `live`, `backfill`, `parked`, the reason why it is not handed over, or undefined for a row that was not taken in. */
function fateOf(store: StateStore, guid: string): string | undefined {
  const found = store.inbound.byGuid(guid);
  if (!found) return undefined;
  if (found.state !== 'pending') return found.skipped ?? found.state;
  const isMarked = (JSON.parse(found.body!) as { backfill?: true }).backfill === true;
  if (isMarked !== (found.backfill === 1)) throw new Error(`${guid}: the body and the row do not agree`);
  return found.backfill === 1 ? 'backfill' : 'live';
}
