import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FaultRun } from './FaultRun.ts';

/** A chatDbWriter.ts at work on the chat.db of a run. */
export class WriterProcess {
  readonly #child: ChildProcess;

  /** Resolves when it has written its first message. */
  static flood({ rig }: FaultRun, o: { everyMs: number; checkpointEvery: number }): Promise<WriterProcess> {
    return WriterProcess.#start([rig.mac.chatDbPath, 'flood', String(o.everyMs), String(o.checkpointEvery)]);
  }

  /** Resolves when it has the database for itself and wrote so many messages that nobody sees yet. */
  static hold({ rig }: FaultRun, messages: number): Promise<WriterProcess> {
    return WriterProcess.#start([rig.mac.chatDbPath, 'hold', String(messages)]);
  }

  static async #start(args: readonly string[]): Promise<WriterProcess> {
    const writer = new WriterProcess(args);
    await once(writer.#child.stdout!, 'data');
    return writer;
  }

  private constructor(args: readonly string[]) {
    const program = join(import.meta.dirname, 'chatDbWriter.ts');
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** What it holds is committed and free again. */
  async release(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.stdin!.end();
    const [code] = await gone;
    if (code !== 0) throw new Error(`the writer ended with ${code}`);
  }
}

/** Notes what writers committed and the run does not know yet: what is in the file, and nowhere else. */
export function noteWritten(run: FaultRun): number {
  const known = new Set(run.ledger.inserted.map(({ guid }) => guid));
  const rows = run.rig.mac.chatDb.all<{ guid: string; thread: string }>(
    `SELECT m.guid, h.id AS thread FROM message m JOIN handle h ON h.ROWID = m.handle_id
     WHERE m.guid LIKE 'WRITTEN-%' ORDER BY m.ROWID`,
  );
  const fresh = rows.filter(({ guid }) => !known.has(guid));
  for (const { guid, thread } of fresh) run.wrote({ guid, thread, text: `written ${guid}`, kind: 'live' });
  return fresh.length;
}
