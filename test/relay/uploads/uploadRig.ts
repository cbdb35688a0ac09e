import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { UploadFile } from '../../../src/backend/multipart.ts';
import type { AttachmentInfo, ChatRow } from '../../../src/chatdb/types.ts';
import { createPrivacyFilter } from '../../../src/relay/privacy.ts';
import { toRequest } from '../../../src/relay/toRequest.ts';
import { Uploader, type UploadSettings } from '../../../src/relay/uploads/Uploader.ts';
import { attachment } from '../../support/chatRow.ts';
import { FakeClock, settle } from '../../support/FakeClock.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';
import { ANNA, openStore, row } from '../fakes.ts';

export interface Posting {
  readonly guid: string;
  readonly file: UploadFile;
  take(): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** An uploader with a real state.db and real files, before a chat.db that is an array and a backend that is a list. */
export function setUp(change: Partial<UploadSettings> = {}) {
  const clock = new FakeClock();
  const { store, path: statePath } = openStore(clock);
  const root = join(tempDir(), 'Attachments');
  mkdirSync(root, { recursive: true });
  const { telemetry, calls } = recordingTelemetry();
  const privacy = createPrivacyFilter({ redact: [], denyThreads: [] });
  const settings = { mode: 'all', attachmentsPath: root, uploadPath: '/up', waitSeconds: 15, maxBytes: 100, ...change };
  const rows: ChatRow[] = [];
  const postings: Posting[] = [];
  const lookedUp: string[] = [];
  const released: (string | undefined)[] = [];
  const make = () => {
    const made = new Uploader({
      store,
      clock,
      random: () => 0,
      telemetry,
      privacy,
      settings: settings as UploadSettings,
      source: () => ({
        messageOfAttachment: (guid) => {
          lookedUp.push(guid);
          return rows.find(({ attachments }) => attachments.some((one) => one.guid === guid));
        },
      }),
      upload: (_path, file, signal) => post(file, signal),
      onReleased: (threadId) => released.push(threadId),
      onAcks: () => {},
    });
    onTestFinished(() => made.stop());
    made.start();
    return made;
  };
  const post = (file: UploadFile, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      const end = async (how: () => void) => {
        how();
        await idle(file.attachmentGuid);
      };
      const { attachmentGuid: guid } = file;
      postings.push({ guid, file, take: () => end(resolve), fail: (error) => end(() => reject(error)) });
    });
  /** The file is closed and the outcome written. */
  const idle = async (guid: string) => {
    const before = JSON.stringify(store.uploads.byGuid(guid));
    await waitFor('the outcome', () => JSON.stringify(store.uploads.byGuid(guid)) !== before);
    await settle();
  };
  const uploader = make();
  let rowid = 0;
  return {
    clock,
    store,
    uploader,
    postings,
    /** The guids that chat.db was asked for: an attempt begins with it. */
    lookedUp,
    released,
    root,
    rows,
    told: (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args),
    state: (guid: string) => store.uploads.byGuid(guid),
    /** Another process holds state.db until the returned function is called. */
    lock: (): (() => void) => {
      const other = new Database(statePath);
      onTestFinished(() => void other.close());
      other.exec('BEGIN IMMEDIATE');
      return () => void other.close();
    },
    /** The guids that were posted, in order, once there are `count` of them. */
    posted: async (count: number) => {
      await waitFor(`${count} postings`, () => postings.length >= count);
      await settle();
      return postings.map(({ guid }) => guid);
    },
    /** A message with this file is taken in. */
    receive: (
      guid: string,
      o: { threadId?: string; backfill?: boolean; content?: string | null; file?: Partial<AttachmentInfo> } = {},
    ) => {
      const { threadId = ANNA, backfill = false, content = guid } = o;
      const path = `~/Library/Messages/Attachments/${guid}/a.jpg`;
      const place = join(root, guid, 'a.jpg');
      mkdirSync(dirname(place), { recursive: true });
      if (content !== null) writeFileSync(place, content);
      rowid += 1;
      const message = row(rowid, { handle: threadId, attachments: [attachment({ guid, path, ...o.file })] });
      rows.push(message);
      const now = clock.now();
      const body = toRequest(message, threadId, { privacy, backfill, now });
      store.transaction(() => uploader.want(message, body, { threadId, now }));
      return message.guid;
    },
    replace: (guid: string, file: Partial<AttachmentInfo>) => {
      const at = rows.findIndex(({ attachments }) => attachments.some((one) => one.guid === guid));
      rows[at] = { ...rows[at]!, attachments: rows[at]!.attachments.map((one) => ({ ...one, ...file })) };
    },
  };
}
