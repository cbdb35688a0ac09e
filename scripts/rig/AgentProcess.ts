import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';

const root = resolve(import.meta.dirname, '../..');

export interface AgentProcessOptions {
  configPath: string;
  secret: string;
  logPath: string;
  stateDir: string;
  /** Run the compiled program, as an installation does. @default false: src as it is */
  compiled?: boolean;
  nodeArgs?: string[];
  /** A program and its arguments that Node is started by, e.g. strace; what is killed is the Node below it. */
  wrapper?: string[];
  /** More of its environment. */
  env?: NodeJS.ProcessEnv;
  /** How many times longer it may take to be ready. @default 1 */
  patience?: number;
}

/** The real agent as a process of its own, started, killed and started again as launchd would. */
export class AgentProcess {
  /** As in the options; to be changed only while the process does not run. */
  wrapper: readonly string[] | undefined;
  readonly #options: AgentProcessOptions;
  #child: ChildProcess | undefined;
  #stderr = '';

  constructor(options: AgentProcessOptions) {
    this.#options = options;
    this.wrapper = options.wrapper;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get log(): string {
    return existsSync(this.#options.logPath) ? readFileSync(this.#options.logPath, 'utf8') : '';
  }

  start(): void {
    const program = join(root, this.#options.compiled ? 'dist/index.js' : 'src/index.ts');
    const { nodeArgs = [], configPath } = this.#options;
    const [file, ...args] = [
      ...(this.wrapper ?? []),
      process.execPath,
      ...nodeArgs,
      program,
      'run',
      '--config',
      configPath,
    ];
    const child = spawn(file!, args, {
      cwd: root,
      env: { ...process.env, EDGE_SECRET: this.#options.secret, ...this.#options.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-20_000);
    });
    this.#child = child;
  }

  /** Resolves when the control socket answers and `test` holds for the status; rejects after `timeoutMs`, times the patience. */
  async ready(test: (status: AgentStatusView) => boolean = () => true, timeoutMs = 20_000): Promise<AgentStatusView> {
    const deadline = performance.now() + timeoutMs * (this.#options.patience ?? 1);
    for (;;) {
      const status = await this.status().catch(() => undefined);
      if (status && test(status)) return status;
      if (!this.isRunning) throw new Error(`the agent ended before it was ready: ${this.#stderr}\n${this.log}`);
      if (performance.now() > deadline) {
        throw new Error(`the agent is not ready: ${JSON.stringify(status)}\n${this.#stderr}\n${this.log}`);
      }
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  status(): Promise<AgentStatusView> {
    return new Promise((done, fail) => {
      const req = request({ socketPath: controlSocketPath(this.#options.stateDir), path: '/status' }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => {
          try {
            done(JSON.parse(body) as AgentStatusView);
          } catch (error) {
            fail(error as Error);
          }
        });
      });
      req.on('error', fail);
      req.end();
    });
  }

  /** The process of Node itself: what was started, or below it the first that is Node. */
  get nodePid(): number | undefined {
    return (this.wrapper && nodeFrom(this.pid)) ?? this.pid;
  }

  /** Kills the process and waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const child = this.#child;
    if (!child || !this.isRunning) return { code: child?.exitCode ?? null, signal: child?.signalCode ?? null };
    const gone = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    process.kill(this.nodePid!, signal);
    const [code, by] = await gone;
    return { code, signal: by };
  }
}

/** Undefined while there is none yet, or none any more. */
function nodeFrom(pid: number | undefined): number | undefined {
  return pid === undefined || isNode(pid) ? pid : nodeFrom(childOf(pid));
}

function childOf(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch {
    return undefined; // gone, or no Linux
  }
}

function isNode(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) === realpathSync(process.execPath);
  } catch {
    return false; // gone meanwhile
  }
}

/** What the rig looks at in the answer of the control socket. */
export interface AgentStatusView {
  websocket: { up: boolean; next_dial_at: string | null };
  chatdb: { open: boolean };
  conditions: readonly { code: string; name: string; fix: string }[];
  [key: string]: unknown;
}
