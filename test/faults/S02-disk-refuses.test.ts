import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { inject } from './harness/injected.ts';
import { settings } from './harness/settings.ts';

faultTest('S2 ends within a second when the disk refuses to keep state.db, and goes on where it was', {
  needs: ['linux', 'strace'],
  stderr: /^(|.*EDGE_STATE_IO.*)$/s,
  async fault(run) {
    const { rig } = run;
    const path = join(rig.path('state'), 'state.db');
    await inject(rig.agent.nodePid!, 'fsync,fdatasync:error=EIO', [path, `${path}-wal`]);
    const at = performance.now();
    run.write(ANN);
    await waitFor('the end of the agent', () => !rig.agent.isRunning);
    expect(performance.now() - at).toBeLessThan(1_000 * settings.patience);
    expect(rig.agent.exitCode).toBe(74);
    expect(rig.agent.log).toMatch(/\[ERROR\] EDGE_STATE_IO: .*SQLITE_IOERR/);
    run.write(BEN);
    await run.ask(ANN);
    await run.restart();
  },
});
