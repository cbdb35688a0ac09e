import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { silence } from './harness/treatments.ts';

/** The orderly stop, ms. */
const STOP_MS = 10_000;

faultTest('C10 ends the bubble that is begun on SIGTERM, begins nothing, and leaves with 0 and a goodbye', {
  commandsInOrder: true,
  async fault(run) {
    const { rig, ledger, front } = run;
    const { messages } = rig.mac;
    const known = {
      requests: messages.requests.length,
      effects: messages.effects.length,
      posts: front.messages.length,
    };
    messages.behave({ beforeEffectMs: 500 });
    front.treat = () => silence; // a backend that answers nothing keeps nobody
    run.write(BEN);
    await waitFor('the POST', () => front.messages.length > known.posts);
    for (let n = 0; n < 3; n++) await run.ask(ANN);
    await waitFor('the osascript', () => messages.requests.length === known.requests + 1);

    const stoppedAt = performance.now();
    expect(await rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - stoppedAt).toBeLessThan(STOP_MS * settings.patience);
    expect(messages.effects).toHaveLength(known.effects + 1);
    expect(messages.requests).toHaveLength(known.requests + 1);
    expect(front.messages).toHaveLength(known.posts + 1);
    expect(rig.agent.log).toMatch(/\[INFO\] stopped\n$/);
    await waitFor('the goodbye', () => ledger.closes.at(-1) === 1001);

    front.standAside();
    await run.restart();
  },
});

faultTest(
  'C10 waits on SIGTERM for the osascript that runs, with nothing else to wait for, and writes down how it ended',
  {
    async fault(run) {
      const { rig } = run;
      const { messages } = rig.mac;
      const known = messages.requests.length;
      messages.behave({ beforeEffectMs: 1000, afterEffectMs: 500 });
      await run.ask(ANN);
      await waitFor('the osascript', () => messages.requests.length > known);

      expect(await rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      expect(messages.effects).toHaveLength(known + 1);
      expect(stateOfLastSend(rig.path('state'))).toMatch(/^(accepted|confirmed)$/);

      await run.restart();
    },
  },
);

faultTest('C10 leaves with 0 within 10 s of SIGTERM although an osascript hangs and the backend answers nothing', {
  async fault(run) {
    const { rig, front } = run;
    const { messages } = rig.mac;
    const known = messages.requests.length;
    messages.behave({ hang: 'after-effect' });
    await run.ask(ANN);
    await waitFor('the osascript', () => messages.requests.length > known);
    front.treat = () => silence;
    run.write(BEN);
    const mark = run.mark;
    const ended = rig.agent.kill('SIGTERM');
    await run.logged('SIGTERM: stopping', mark);
    // It would not leap: the osascript that hangs is work to be waited for.
    await run.clock.run(10);
    expect(await ended).toEqual({ code: 0, signal: null });
    const isReal = run.clock.run(1); // once there is somebody to obey
    expect(run.logSince(mark)).toContain('not stopped after 9.5 s');
    expect(messages.requests).toHaveLength(known + 1);
    front.standAside();
    await Promise.all([run.restart(), isReal]);
  },
});

function stateOfLastSend(stateDir: string): unknown {
  const db = new Database(join(stateDir, 'state.db'), { readonly: true });
  try {
    return db.prepare('SELECT state FROM sends ORDER BY send_id DESC LIMIT 1').pluck().get();
  } finally {
    db.close();
  }
}
