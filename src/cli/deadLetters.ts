import { deadLetter } from '../ops/deadLetters.ts';
import { StateStore } from '../state/StateStore.ts';
import { printable, shellWord } from '../util/printable.ts';
import { drained } from './drained.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { openStore } from './openStore.ts';

/** Read at a time: there may be as many as a backend refuses. */
const BATCH = 500;

export interface DeadLettersOptions extends CommonOptions {
  readonly dropped?: boolean;
}

/** `edge-agent dead-letters`: what state.db says, beside a running agent or without one. */
export async function deadLetters(options: DeadLettersOptions, io: Io): Promise<number> {
  const { config } = openConfig(options, io);
  const store = openStore(config.state.dir, (path) => StateStore.openReadOnly(path));
  let count = 0;
  try {
    for (let after = 0; store; ) {
      const rows = options.dropped
        ? store.inbound.droppedLetters(BATCH, after)
        : store.inbound.deadLetters(BATCH, after);
      if (rows.length === 0) break;
      for (const row of rows) {
        const droppedAt = row.state === 'done' && row.doneAt !== null ? new Date(row.doneAt).toISOString() : null;
        const letter = { ...deadLetter(row), dropped_at: droppedAt };
        io.out(`${printable(options.json ? JSON.stringify(letter) : lineOf(letter))}\n`);
        await drained();
        count += 1;
        after = row.inboundId;
      }
    }
  } finally {
    store?.close();
  }
  if (options.json) return EXIT.ok;
  if (count === 0) io.out(options.dropped ? 'Nothing was dropped\n' : 'There are no dead letters\n');
  else if (!options.dropped)
    io.out('`edge-agent retry GUID` hands one over again, `edge-agent drop GUID` gives it up; --all does it to all\n');
  return EXIT.ok;
}

function lineOf(letter: ReturnType<typeof deadLetter> & { dropped_at: string | null }): string {
  const { guid, thread, code, detail, since, dropped_at } = letter;
  const end = dropped_at === null ? '' : `, dropped ${dropped_at}`;
  return `${shellWord(guid)}  from ${thread}, since ${since}${end}  ${code ?? ''} ${detail}`;
}
