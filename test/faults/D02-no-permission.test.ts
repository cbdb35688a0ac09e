import { execFile } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';
import { raised, readsAgain } from './harness/conditions.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { AS_NOBODY, giveAwayAll } from './harness/nobody.ts';

faultTest('D2 names the setting where chat.db may not be read, and reads it without a restart once it may', {
  needs: ['linux', 'root'],
  rig: { wrapper: AS_NOBODY, env: { HOME: '/nonexistent' } },
  startsAgent: false,
  async fault(run) {
    const { agent, mac } = run.rig;
    giveAwayAll(run);
    chmodSync(mac.chatDbPath, 0o000);
    agent.start();
    const { conditions } = await raised(run, 'EDGE_CHATDB_NO_PERMISSION');
    const fix = expect.stringContaining('Full Disk Access');
    expect(conditions).toMatchObject([{ name: 'full-disk-access-denied', fix }]);
    expect(await doctor(run)).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/NO_PERMISSION.*\n.*Full Disk Access/),
    });

    const id = await run.ask();
    await run.logged(id);
    run.write();
    chmodSync(mac.chatDbPath, 0o600);
    await readsAgain(run);
    expect(await doctor(run)).toMatchObject({ code: 0 });
    // Whoever asks through it must be its owner, and the suite is not the agent's user.
    chownSync(controlSocketPath(run.rig.path('state')), process.getuid!(), process.getgid!());
  },
});

/** `edge-agent doctor`, by the user that the agent is. */
async function doctor({ rig }: FaultRun): Promise<{ code: number; stdout: string }> {
  const program = join(import.meta.dirname, '../../src/index.ts');
  const args = ['doctor', '--only', 'chat.db', '--config', rig.path('config.yaml')];
  const [file, ...before] = AS_NOBODY;
  try {
    const { stdout } = await promisify(execFile)(file!, [...before, process.execPath, program, ...args]);
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}
