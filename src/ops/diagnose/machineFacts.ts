import { arch, cpus, freemem, loadavg, release, totalmem, type, uptime } from 'node:os';
import { EdgeError } from '../../util/EdgeError.ts';
import { packageVersion } from '../../util/version.ts';
import type { RunProgram } from '../macos/programs.ts';
import { SERVICE_LABEL } from '../service/servicePaths.ts';

/** A program of macOS that takes longer to say what it knows is stuck, ms. */
const TIMEOUT_MS = 3_000;
/** What `launchctl print` says that helps; beside it stands the whole environment. */
const SERVICE_FACTS = /^\s*(state|pid|runs|last exit code|last terminating signal|program|path|spawn type) = (.*)$/gm;

/** The programs and the machine below them. */
export async function machineFacts(run: RunProgram) {
  const [product, build] = await Promise.all([
    said(run, 'sw_vers', ['-productVersion']),
    said(run, 'sw_vers', ['-buildVersion']),
  ]);
  return {
    edge_agent: packageVersion(),
    node: process.version,
    node_path: process.execPath,
    system: `${type()} ${release()} ${arch()}`,
    macos: product && `${product.trim()} (${build?.trim() ?? 'build unknown'})`,
    processors: cpus().length,
    memory_bytes: totalmem(),
    memory_free_bytes: freemem(),
    load: loadavg(),
    up_seconds: Math.round(uptime()),
  };
}

/** How launchd sees the agent. @throws Error where there is no launchd, or no such service */
export async function serviceFacts(run: RunProgram): Promise<Record<string, string>> {
  const printed = await said(run, 'launchctl', ['print', `gui/${process.getuid?.()}/${SERVICE_LABEL}`]);
  if (printed === undefined) throw new Error(`launchd does not know ${SERVICE_LABEL} of this user`);
  return Object.fromEntries([...printed.matchAll(SERVICE_FACTS)].map(([, name, value]) => [name!, value!]));
}

/** What a program prints; undefined where it cannot be run or fails. */
async function said(run: RunProgram, program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await run(program, args, { timeoutMs: TIMEOUT_MS });
    return exitCode === 0 ? stdout : undefined;
  } catch (error) {
    if (error instanceof EdgeError) return undefined;
    throw error;
  }
}
