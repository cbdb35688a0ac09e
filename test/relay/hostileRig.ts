import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { ChangeWatch } from '../../src/relay/ChangeWatch.ts';
import { Intake } from '../../src/relay/Intake.ts';
import { createPrivacyFilter, type PrivacySettings } from '../../src/relay/privacy.ts';
import { ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { encodeText } from '../chatdb/support/typedstreamEncoder.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { openStore } from './fakes.ts';
import { MAX_POST_BYTES, strictEvent, strictRequest } from './strictRequest.ts';

export const ANNA = '+15550100002';
export const GROUP = 'chat831415926535';
type Column = string | number | bigint | Uint8Array | null;

/** A real chat.db that anybody may have written to, with intake and the watch for changes on a real state.db. */
export function hostileRig(settings: Partial<PrivacySettings> = {}) {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const { store, path: statePath } = openStore(clock);
  const { telemetry, calls } = recordingTelemetry();
  const file = new ChatDbFile(join(tempDir(), 'chat.db'));
  const db = new ChatDb({ path: file.path });
  const privacy = createPrivacyFilter({ redact: ['payment_card'], denyThreads: [], ...settings });
  const changes = new ChangeWatch({
    ...{ store, clock, telemetry, privacy },
    source: () => db,
    epoch: () => intake.epoch,
    onEvents: () => {},
  });
  const intake = new Intake({
    ...{ store, clock, telemetry, privacy },
    chatDbPath: file.path,
    answerMaxAgeSeconds: 3_600,
    attachmentWaitSeconds: 1,
    onInbound: () => {},
    onAdmitted: (row) => changes.admitted(row),
    onReadFailed: (error) => {
      throw error;
    },
  });
  onTestFinished(() => {
    intake.stop();
    changes.stop();
    db.close();
    file.close();
  });
  const anna = file.handle(ANNA);
  const chats = { pair: file.chat(ANNA, [anna]), group: file.chat(GROUP, [anna]) };
  changes.start();
  intake.opened(db, db.open());
  const rowOf = (rowid: number) => db.rowsByRowid([rowid])[0]!;
  return {
    clock,
    store,
    statePath,
    file,
    db,
    calls,
    anna,
    chats,
    message(guid: string, row: Record<string, Column> = {}, chat = chats.pair): number {
      const whole = {
        text: 'hello',
        attributedBody: encodeText('hello'),
        handle_id: anna,
        date: 788_918_400_000_000_000n,
      };
      return file.message(guid, { ...whole, is_from_me: 0, ...row }, chat);
    },
    look: () => intake.changed(db),
    /** Lets the agent see it all, and every wait end. */
    async settle(): Promise<void> {
      intake.changed(db);
      changes.chatDbChanged();
      await clock.advance(1_000);
      intake.changed(db);
      changes.chatDbChanged();
      await clock.advance(15_000);
    },
    fate(rowid: number): string | undefined {
      const found = store.inbound.byGuid(rowOf(rowid).guid);
      return found?.skipped ?? found?.state;
    },
    body(rowid: number) {
      return strictRequest.parse(JSON.parse(store.inbound.byGuid(rowOf(rowid).guid)!.body!));
    },
    /** What would go over the wire is what the protocol says, and no more than a web server takes. */
    expectSound(): void {
      for (const { guid } of store.inbound.newestOf(1, 10_000)) {
        const { body, state, skipped } = store.inbound.byGuid(guid)!;
        expect(state, guid).not.toBe('parked');
        if (body === null) {
          expect(skipped ?? state).toBeTruthy();
          continue;
        }
        expect(Buffer.byteLength(body)).toBeLessThan(MAX_POST_BYTES);
        strictRequest.parse(JSON.parse(body));
      }
      for (const event of store.events.waiting(100_000)) {
        strictEvent.parse(event);
        expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(MAX_POST_BYTES);
      }
    },
  };
}
