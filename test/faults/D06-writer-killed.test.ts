import { expect } from 'vitest';
import { ANN, answerTo } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { UNGUARDED } from './harness/unguarded.ts';
import { noteWritten, WriterProcess } from './harness/WriterProcess.ts';

const KILLS = settings.kills ?? (settings.isLong ? 100 : 6);
/** 100 messages a second. */
const EVERY_MS = 10;
/** Longest life of a writer after its first message, ms. */
const MOST_LIFE_MS = 800;

faultTest('D6 takes each message once of a writer that checkpoints and is killed at any moment', {
  rig: { config: { relay: UNGUARDED } },
  timeoutMs: 60_000 + KILLS * 3000,
  recoveryMs: 15_000 + KILLS * 1000,
  reply: (text) => ({ bubbles: text.startsWith('written') ? [] : [answerTo(text)] }),
  async fault(run) {
    run.runs = KILLS;
    for (let n = 0; n < KILLS; n++) {
      const checkpointEvery = 1 + Math.floor(run.random() * 40);
      const writer = await WriterProcess.flood(run, { everyMs: EVERY_MS, checkpointEvery });
      await new Promise((resolve) => setTimeout(resolve, run.random() * MOST_LIFE_MS));
      await writer.kill();
      noteWritten(run);
      run.write(ANN);
    }
    const written = run.ledger.inserted.filter(({ text }) => text.startsWith('written')).length;
    expect(written).toBeGreaterThan(KILLS);
    run.note = `${written} messages, ${KILLS} kills`;
  },
});
