import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { ANN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { AS_NOBODY, giveAwayAll } from './harness/nobody.ts';
import { mountSmallDisk } from './harness/smallDisk.ts';

faultTest('S7 does not start with a directory that it may not write, says what to do, and leaves nothing there', {
  needs: ['linux', 'root', 'mount'],
  ends: 77,
  startsAgent: false,
  stderr: /EDGE_STATE_DIR/,
  async fault({ rig }) {
    mountSmallDisk(rig.path('state'), 'size=1m,ro');
    await expect(rig.startAgent()).rejects.toThrow('EDGE_STATE_DIR');
  },
  expect({ rig }) {
    expect(readdirSync(rig.path('state'))).toEqual([]);
    expect(rig.agent.log).toMatch(/\[ERROR\] EDGE_STATE_DIR: .*Give the directory in state\.dir/);
  },
});

faultTest('S7 does not start where a file stands in the place of the directory', {
  ends: 77,
  startsAgent: false,
  stderr: /EDGE_STATE_DIR/,
  async fault({ rig }) {
    writeFileSync(rig.path('state'), '');
    await expect(rig.startAgent()).rejects.toThrow('EDGE_STATE_DIR');
  },
});

faultTest('S7 does not start with a directory that is another user’s, and says what to do', {
  needs: ['linux', 'root'],
  rig: { wrapper: AS_NOBODY, env: { HOME: '/nonexistent' } },
  ends: 77,
  startsAgent: false,
  stderr: /EDGE_STATE_DIR/,
  async fault(run) {
    giveAwayAll(run);
    mkdirSync(run.rig.path('state'), { mode: 0o755 });
    await expect(run.rig.startAgent()).rejects.toThrow('EDGE_STATE_DIR');
  },
  expect({ rig }) {
    expect(readdirSync(rig.path('state'))).toEqual([]);
    expect(rig.agent.log).toMatch(/\[ERROR\] EDGE_STATE_DIR: .*Give the directory in state\.dir/);
  },
});

faultTest('S7 warns of a directory that others may write, and works all the same', {
  startsAgent: false,
  async fault(run) {
    const state = run.rig.path('state');
    mkdirSync(state, { recursive: true });
    chmodSync(state, 0o777);
    await run.restart();
    await run.logged(/EDGE_STATE_DIR_MODE: .*chmod 700/);
    await run.both(ANN);
  },
});
