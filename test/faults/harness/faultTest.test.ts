import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendArguments, sendScript } from '../../../src/messaging/sendScript.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';
import { CANARY, FaultRun, type RigShape } from './FaultRun.ts';
import { bear, type FaultCase } from './faultTest.ts';
import { passes, says } from './treatments.ts';

/** How long an agent that cannot come right is waited for, ms. */
const IN_VAIN_MS = 1500;
const SLOW_MS = 2000;

async function runs(o: FaultCase): Promise<FaultRun> {
  const run = await FaultRun.create(tempDir(), o);
  onTestFinished(() => run.close());
  await bear(run, o);
  return run;
}

/** A module that the agent is loaded after, as JavaScript. */
function loadedAfter(code: string): RigShape {
  return { nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(code)}`] };
}

const harmless = async (run: FaultRun) => void run.write();

describe('a case of the fault suite', () => {
  it('passes where nothing is wrong', async () => {
    await runs({ fault: harmless });
  });

  it('counts every restart as a recovery, with what was not well yet after the last', async () => {
    const run = await runs({
      async fault(run) {
        for (let n = 0; n < 2; n++) {
          await run.crash();
          await run.restart();
        }
        run.rig.mac.messages.behave({ beforeEffectMs: SLOW_MS });
        await run.ask();
      },
    });
    expect(run.recoveriesMs).toHaveLength(2);
    expect(run.recoveriesMs[1]).toBeGreaterThan(SLOW_MS);
  });

  it('fails where a message is lost: taken by what stands before the backend, and never handed on', async () => {
    const o: FaultCase = {
      recoveryMs: IN_VAIN_MS,
      async fault(run) {
        run.front.treat = ({ path }) => (path === '/edge/message' ? says(200) : passes);
        run.write();
      },
    };
    await expect(runs(o)).rejects.toThrow(/in vain for: quiescence: \{"accepted":1/);
  });

  it('fails where a bubble goes out twice', async () => {
    const o: FaultCase = {
      rig: { config: { sending: { osascript_path: 'twice' } } },
      startsAgent: false,
      recoveryMs: IN_VAIN_MS,
      setup({ rig }) {
        const real = rig.mac.osascriptPath;
        writeFileSync(rig.path('twice'), `#!/bin/sh\n"${real}" "$@"\nexec "${real}" "$@"\n`);
        chmodSync(rig.path('twice'), 0o755);
      },
      async fault(run) {
        await run.rig.startAgent();
        run.write();
      },
    };
    await expect(runs(o)).rejects.toThrow(/"doubled":\["bubble /);
  });

  it('fails where a bubble goes out again after all was quiet', async () => {
    const o: FaultCase = {
      async fault({ rig }) {
        const { agent, mac } = rig;
        const kill = agent.kill.bind(agent);
        agent.kill = async (signal) => {
          const left = await kill(signal);
          const { target: handle, text } = mac.messages.effects[0]!;
          const args = sendArguments({ kind: 'participant', handle, service: 'iMessage' }, text);
          const again = promisify(execFile)(mac.osascriptPath, ['-l', 'AppleScript', '-', ...args]);
          again.child.stdin!.end(sendScript(30));
          await again;
          return left;
        };
      },
    };
    await expect(runs(o)).rejects.toMatchObject({ actual: { doubled: [expect.stringMatching(/^bubble/)] } });
  });

  it('fails where an attempt is repeated with other bytes', async () => {
    const o: FaultCase = {
      rig: loadedAfter(`
        const { stringify } = JSON;
        JSON.stringify = (value, ...more) =>
          stringify(value?.message_guid ? { ...value, at: Math.random() } : value, ...more);
      `),
      async fault(run) {
        run.front.treat = ({ key }) => (key && run.front.postsOf(key).length === 1 ? says(503) : passes);
        run.write();
      },
    };
    await expect(runs(o)).rejects.toMatchObject({ actual: { madeUp: [expect.stringContaining('2 bodies')] } });
  });

  it('fails where the agent does not come back', async () => {
    const o: FaultCase = {
      recoveryMs: IN_VAIN_MS,
      async fault(run) {
        await run.crash();
      },
    };
    await expect(runs(o)).rejects.toThrow(/ECONNREFUSED|ENOENT|the agent ended/);
  });

  it('fails where the socket stays away', async () => {
    const o: FaultCase = { recoveryMs: IN_VAIN_MS, fault: async ({ rig }) => rig.cable.cut() };
    await expect(runs(o)).rejects.toThrow('the agent is not ready');
  });

  it('fails where a text gets into the log', async () => {
    const o: FaultCase = {
      async fault(run) {
        await harmless(run);
        writeFileSync(run.rig.path('edge-agent.log'), `[INFO] ${CANARY}\n`, { flag: 'a' });
      },
    };
    await expect(runs(o)).rejects.toMatchObject({ actual: [expect.stringContaining(CANARY)] });
  });

  it('fails where a text is shown only as long as the fault stands', async () => {
    const file = join(tempDir(), 'shown');
    const o: FaultCase = {
      rig: loadedAfter(`
        import { appendFileSync, existsSync } from 'node:fs';
        const { stringify } = JSON;
        JSON.stringify = (value, ...more) => {
          if (!value?.queues || !existsSync('${file}')) return stringify(value, ...more);
          appendFileSync('${file}', 'once');
          return stringify({ ...value, of: '${CANARY}' }, ...more);
        };
      `),
      async fault() {
        writeFileSync(file, '');
        await waitFor('a look at it', () => readFileSync(file, 'utf8') !== '');
        rmSync(file);
      },
    };
    await expect(runs(o)).rejects.toMatchObject({ actual: [expect.stringContaining(CANARY)] });
  });

  it('fails where something was not caught', async () => {
    const o: FaultCase = { rig: loadedAfter(`process.stderr.write('unhandledRejection')`), fault: harmless };
    await expect(runs(o)).rejects.toThrow('unhandledRejection');
  });
});
