import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import type { SimulatedMac } from '../../src/simulator/SimulatedMac.ts';
import { run, simulatedMac } from '../simulator/simulatedMac.ts';
import { tempDir } from '../support/tempDir.ts';
import { edgeAgent } from './edgeAgent.ts';

export interface Shown {
  name: string;
  status: string;
  text: string;
  fix: string | null;
  ms: number;
}

export interface Examined {
  code: number | null;
  out: string;
  err: string;
  /** By the names of the checks; of `--json` only. */
  found: Record<string, Shown>;
}

/** A simulated Mac that was set up well, its stand-ins first on PATH, and a home of its own. */
export interface DoctorMac {
  readonly mac: SimulatedMac;
  readonly home: string;
  readonly config: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly env: Record<string, string>;
  /** One of the stand-ins. */
  call(program: string, ...args: string[]): Promise<void>;
  /** `edge-agent doctor --json` of these checks, or of all. */
  doctor(...only: string[]): Promise<Examined>;
}

export async function doctorMac(backend = 'http://127.0.0.1:9', more = ''): Promise<DoctorMac> {
  const mac = await simulatedMac();
  const home = join(tempDir(), "Ana's home");
  const [stateDir, logDir] = [join(home, 'state'), join(home, 'logs')];
  for (const dir of [home, stateDir, logDir]) mkdirSync(dir, { mode: 0o700 });
  const config = join(home, 'config.yaml');
  writeFileSync(
    config,
    `edge: { agent_id: edge_15550100001, secret_file: secret }
backend: { url: "${backend}" }
imessage: { db_path: "${mac.chatDbPath}" }
sending: { osascript_path: "${mac.osascriptPath}", sms_fallback: true }
logging: { file: logs/edge-agent.log }
state: { dir: state }
${more}`,
    { mode: 0o600 },
  );
  writeFileSync(join(home, 'secret'), 'a-secret', { mode: 0o600 });
  chmodSync(config, 0o600);
  const env = { HOME: home, PATH: [mac.binPath, process.env.PATH].join(delimiter) };
  const call = async (program: string, ...args: string[]) => {
    const { code, stderr } = await run(join(mac.binPath, program), args);
    if (code !== 0) throw new Error(`${program}: ${stderr}`);
  };
  await call('defaults', 'write', '/Library/Preferences/com.apple.loginwindow', 'autoLoginUser', userInfo().username);
  const doctor = async (...only: string[]): Promise<Examined> => {
    const args = only.flatMap((name) => ['--only', name]);
    const { code, out, err } = await edgeAgent(['doctor', '--json', '--config', config, ...args], { env });
    const { checks = [] } = out === '' ? {} : (JSON.parse(out) as { checks?: Shown[] });
    return { code, out, err, found: Object.fromEntries(checks.map((check) => [check.name, check])) };
  };
  return { mac, home, config, stateDir, logDir, env, call, doctor };
}
