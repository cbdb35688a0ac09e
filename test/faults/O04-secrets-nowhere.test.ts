import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, vi } from 'vitest';
import { AGENT_ID } from '../../scripts/rig/Rig.ts';
import { edgeAgent } from '../cli/edgeAgent.ts';
import { bundleOf } from './harness/bundle.ts';
import { changeConfig } from './harness/configFile.ts';
import { ANN, BEN, CANARY, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { says } from './harness/treatments.ts';

/** Where the secret is, and how it gets there. */
const SOURCES: Record<string, { env?: string; edge?: object; put(run: FaultRun): void }> = {
  'the environment': { put() {} },
  'a file': {
    env: '',
    edge: { secret_file: 'secret' },
    put: ({ rig }) => writeFileSync(rig.path('secret'), rig.secret, { mode: 0o600 }),
  },
  'the Keychain': {
    env: '',
    edge: { secret_keychain_service: 'edge-agent' },
    put({ rig }) {
      const item = join(rig.mac.standInStatePath, 'keychain/edge-agent', AGENT_ID);
      mkdirSync(dirname(item), { recursive: true });
      writeFileSync(item, rig.secret);
      vi.stubEnv('PATH', `${rig.mac.binPath}:${process.env.PATH}`);
    },
  },
};
/** What the agent and the commands start, each in a way of its own, and what is to be run in its place. */
const PROGRAMS = {
  osascript: ({ rig }: FaultRun) => `'${rig.mac.osascriptPath}' "$@"`,
  caffeinate: () => 'sleep 3600',
  sw_vers: () => 'echo 26.1',
};

for (const [name, { env, edge, put }] of Object.entries(SOURCES)) {
  faultTest(`O4 shows a secret from ${name} nowhere: neither in what it prints nor to the programs it starts`, {
    needs: ['linux'],
    rig: {
      ...(env !== undefined && { env: { EDGE_SECRET: env } }),
      config: { ...(edge && { edge: { agent_id: AGENT_ID, ...edge } }) },
    },
    setup(run) {
      put(run);
      for (const [program, behind] of Object.entries(PROGRAMS)) spy(run, program, behind(run));
      vi.stubEnv('PATH', `${run.rig.path('spies')}:${process.env.PATH}`);
      changeConfig(run.rig, { sending: { osascript_path: run.rig.path('spies/osascript') } });
    },
    async fault(run) {
      const { rig, front } = run;
      const echo = `{"error":"Bearer ${rig.secret} may not say ${CANARY} to ${ANN} or ${BEN}"}`;
      front.treat = ({ path }) => (path === '/edge/message' ? says(500, echo) : says(503, echo));
      await run.both();
      await run.logged('EDGE_BACKEND_BUSY');
      const shown = await everything(run);
      for (const [what, text] of Object.entries(shown)) {
        const isSupports = what.startsWith('diagnose');
        for (const canary of [rig.secret, ...(isSupports ? [CANARY, ANN, BEN] : [])]) {
          expect.soft(text.includes(canary) ? what : '').toBe('');
        }
      }
      front.standAside();
    },
    expect({ rig }) {
      const seen = readFileSync(rig.path('seen'), 'utf8');
      for (const program of Object.keys(PROGRAMS)) expect(seen).toMatch(new RegExp(`^${program} `, 'm'));
      expect(seen).not.toContain(rig.secret);
    },
  });
}

faultTest('O4 does not use a secret file that others can read, and takes it once they cannot', {
  startsAgent: false,
  rig: { env: { EDGE_SECRET: '' }, config: { edge: { agent_id: AGENT_ID, secret_file: 'secret' } } },
  setup({ rig }) {
    writeFileSync(rig.path('secret'), rig.secret);
    chmodSync(rig.path('secret'), 0o644);
  },
  async fault(run) {
    const { rig, front } = run;
    await rig.startAgent({ withSocket: false });
    run.write();
    await rig.agent.ready(({ conditions }) => conditions.some(({ code }) => code === 'EDGE_SECRET_FILE_MODE'));
    expect(front.knocks.filter(({ secret }) => secret !== undefined)).toEqual([]);
    chmodSync(rig.path('secret'), 0o600);
    process.kill(rig.agent.nodePid!, 'SIGHUP');
    await run.up();
  },
});

/** Puts a program in front of another that writes down what every program can see of it: arguments and environment. */
function spy({ rig }: FaultRun, name: string, behind: string): void {
  const script = `#!/bin/bash\n{ printf '%s ' ${name} "$@"; tr '\\0' '\\n' </proc/$$/environ; } >>'${rig.path('seen')}'\nexec ${behind}\n`;
  mkdirSync(rig.path('spies'), { recursive: true });
  writeFileSync(rig.path(`spies/${name}`), script, { mode: 0o755 });
}

/** All that the agent, and the commands beside it, show to anybody, by what it is. */
async function everything({ rig, rig: { agent } }: FaultRun): Promise<Record<string, string>> {
  const config = rig.path('config.yaml');
  const say = async (...args: string[]) => {
    const { out, err } = await edgeAgent([...args, '--config', config], { env: { EDGE_SECRET: rig.secret } });
    return out + err;
  };
  const { files } = await bundleOf(config, rig.path('bundle.zip'), { EDGE_SECRET: rig.secret });
  return {
    log: agent.log,
    stderr: agent.stderr,
    ps: readFileSync(`/proc/${agent.nodePid}/cmdline`, 'utf8'),
    status: await say('status'),
    'status as JSON': await say('status', '--json'),
    'check-config': await say('check-config'),
    doctor: await say('doctor', '--json'),
    'doctor for the backend’s people': await say('doctor', '--only', 'connection', '--report', '-'),
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`diagnose: ${name}`, text])),
  };
}
