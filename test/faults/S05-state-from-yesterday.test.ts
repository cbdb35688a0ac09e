import { expect } from 'vitest';
import type { Queues } from '../../src/ops/status.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { copyState, copyStateDb, deliversAgain } from './harness/stateFiles.ts';

faultTest('S5 sends nothing again that yesterday’s state.db knows nothing of, whoever asks for it again', {
  startsAgent: false,
  losesState: true,
  timeoutMs: 90_000,
  async fault(run) {
    const { rig, front, ledger } = run;
    const backup = rig.path('backup');
    deliversAgain(run);
    await run.restart();
    for (const thread of [ANN, BEN]) await run.both(thread);
    await run.quiet(20_000);
    // In the copy one bubble is under way and another waits; both have gone out since.
    rig.mac.messages.behave({ beforeEffectMs: 500 });
    for (const thread of [BEN, ANN]) await run.ask(thread);
    await rig.agent.ready(({ queues }) => (queues as Queues).sends_in_flight === 1);
    await run.crash();
    copyStateDb(rig.path('state'), backup);

    await run.restart();
    for (const thread of [ANN, BEN, ANN]) await run.both(thread);
    await run.quiet(30_000);
    await run.crash();
    copyStateDb(backup, rig.path('state'));
    run.write(BEN);
    const mark = run.mark;

    await run.restart();
    await run.logged('EDGE_STATE_BEHIND', mark);
    run.write(ANN);
    await run.quiet(20_000);
    expect(front.messages.length).toBeGreaterThan(ledger.inserted.length);
    expect(ledger.told('error')).toMatchObject([{ details: { code: 'EDGE_STATE_BEHIND' } }]);
  },
});

const SCHEDULED = 'private words at a time';

faultTest('S5 sends nothing again after the whole folder was restored, though nothing in it shows that it was', {
  startsAgent: false,
  losesState: true,
  timeoutMs: 90_000,
  reply: (text) => ({ bubbles: [`re ${text}`, `and ${text}`, 'private words, always the same'] }),
  async fault(run) {
    const { rig, ledger } = run;
    const backup = rig.path('backup');
    deliversAgain(run);
    await run.restart();
    for (const thread of [ANN, BEN]) await run.both(thread);
    const sendAt = new Date(Date.now() + 6000).toISOString();
    const due = { thread_id: ANN, message_text: SCHEDULED, send_at: sendAt };
    const id = await rig.command('schedule_message', due);
    ledger.asked.push({ id, thread: ANN, text: SCHEDULED, bubbles: [SCHEDULED], outcome: 'completed' });
    await rig.agent.ready(({ queues }) => (queues as Queues).schedules === 1);
    rig.mac.messages.behave({ beforeEffectMs: 300 });
    for (const thread of [BEN, ANN]) await run.ask(thread);
    await rig.agent.ready(({ queues }) => (queues as Queues).sends_in_flight === 1);
    await run.crash();
    copyState(rig.path('state'), backup);

    await run.restart();
    for (const thread of [ANN, BEN, ANN]) await run.both(thread);
    await run.quiet(40_000);
    await run.crash();
    copyState(backup, rig.path('state'));
    run.write(BEN);
    const mark = run.mark;

    await run.restart();
    run.write(ANN);
    await run.quiet(30_000);
    expect(run.logSince(mark)).toContain('EDGE_STATE_BEHIND');
    expect(ledger.told('error')).toMatchObject([{ details: { code: 'EDGE_STATE_BEHIND' } }]);
  },
});
