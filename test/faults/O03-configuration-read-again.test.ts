import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { changeConfig } from './harness/configFile.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const hup = ({ rig }: FaultRun) => process.kill(rig.agent.nodePid!, 'SIGHUP');
/** As many as go out before the fault. */
const TWO = { per_minute: 2, per_hour: 0, new_threads_per_day: 0 };

faultTest('O3 keeps the configuration it has when the file that is read again is bad, and says why', {
  rig: { config: { logging: { level: 'warn' } } },
  async fault(run) {
    const { rig } = run;
    const file = rig.path('config.yaml');
    const good = readFileSync(file, 'utf8');
    const bad = `loging:\n  wake: ${BEN}\nbakend: 1\nwatchdog:\n  wake_handle: ${ANN}x\n`;
    writeFileSync(file, good.replace('level: warn', 'level: info') + bad);
    hup(run);
    await run.logged('EDGE_CONFIG_INVALID: SIGHUP: the configuration stays as it was');
    expect(rig.agent.log).toMatch(
      /config\.yaml:\d+:1 {2}loging: .*did you mean logging\?.*bakend: .*backend\?.*wake_handle: /,
    );
    writeFileSync(file, '');
    hup(run);
    await run.logged('is empty, expected sections');
    await run.both();
    await run.quiet(15_000);
    expect(rig.agent.log).not.toContain('[INFO]');
    writeFileSync(file, good);
  },
});

faultTest('O3 takes over from a good file what it can, and names what needs a restart', {
  rig: { config: { logging: { level: 'warn' }, sending: { rate: TWO } } },
  async fault(run) {
    const { rig } = run;
    await run.both();
    await rig.agent.ready(({ sending }) => (sending as { waiting_for_rate: number }).waiting_for_rate === 2);
    changeConfig(rig, {
      logging: { level: 'info', max_files: 7 },
      sending: { rate: { ...TWO, per_minute: 0 } },
      state: { dir: rig.path('elsewhere') },
      privacy: { threads: { deny: [BEN] } },
    });
    hup(run);
    await run.quiet(10_000); // what waited for the limit goes at once, not when its minute is over
    await run.logged('SIGHUP: in force from now: sending.rate.per_minute, logging.level, privacy.threads.deny');
    await run.logged('SIGHUP: needs a restart: logging.max_files, state.dir');
    run.write(BEN, { kind: 'refused' });
    await run.logged('is not handed over: filtered, thread_denied');
    changeConfig(rig, { privacy: { threads: { deny: [] } } });
    hup(run);
    await run.logged('SIGHUP: in force from now: privacy.threads.deny');
    run.write(BEN);
  },
  expect: ({ ledger }) => expect(ledger.accepted.size).toBe(3),
});
