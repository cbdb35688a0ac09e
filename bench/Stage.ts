import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { AgentProcess } from '../scripts/rig/AgentProcess.ts';
import { RecordingBackend } from './RecordingBackend.ts';

export const BENCH_AGENT = 'edge_15550100001';

export interface StageOptions {
  /** How durable the commits of chat.db's writer are. */
  synchronous: 'NORMAL' | 'FULL';
  /** Older messages in chat.db. */
  history: number;
}

interface WriterLine {
  ready?: true;
  chatDbPath?: string;
  osascriptPath?: string;
  guid?: string;
  burst?: string[];
  at?: number;
  done?: true;
  effect?: string;
  startedAtUs?: number;
}

/** A recording backend here, a simulated Mac in one process, and what reads it (agent or floor) in another. */
export class Stage {
  readonly backend = new RecordingBackend();
  /** guid → when its commit was done, shared monotonic ms. */
  readonly commits = new Map<string, number>();
  /** text → when its osascript started, ms since 1970. */
  readonly scriptStarts = new Map<string, number>();
  readonly dir = mkdtempSync(join(tmpdir(), 'edge-bench-'));
  readonly #children: ChildProcess[] = [];
  readonly #waiting: ((line: WriterLine) => void)[] = [];
  #writer!: ChildProcess;
  #chatDbPath = '';
  #osascriptPath = '';
  agent: AgentProcess | undefined;

  static async create(options: StageOptions): Promise<Stage> {
    const stage = new Stage();
    await stage.backend.start();
    stage.#writer = stage.#spawn('writer.ts', [join(stage.dir, 'mac'), options.synchronous, String(options.history)]);
    createInterface({ input: stage.#writer.stdout! }).on('line', (line) =>
      stage.#heard(JSON.parse(line) as WriterLine),
    );
    const ready = await stage.#next((line) => line.ready === true);
    stage.#chatDbPath = ready.chatDbPath!;
    stage.#osascriptPath = ready.osascriptPath!;
    return stage;
  }

  /** Starts the compiled agent, as an installation does, for the recording backend or another. */
  async startAgent(
    backend: { url: string; secret: string } = {
      url: `http://127.0.0.1:${this.backend.port}`,
      secret: randomBytes(16).toString('hex'),
    },
  ): Promise<AgentProcess> {
    const config = {
      edge: { agent_id: BENCH_AGENT },
      backend: { url: backend.url },
      imessage: { db_path: this.#chatDbPath },
      attachments: { staging_dir: join(this.dir, 'mac/Library/Messages/Attachments/edge-agent') },
      sending: {
        osascript_path: this.#osascriptPath,
        rate: { per_minute: 0, per_hour: 0, new_threads_per_day: 0 },
      },
      logging: { file: join(this.dir, 'edge-agent.log') },
      state: { dir: join(this.dir, 'state') },
    };
    const configPath = join(this.dir, 'config.yaml');
    writeFileSync(configPath, stringify(config));
    this.agent = new AgentProcess({
      configPath,
      secret: backend.secret,
      logPath: config.logging.file,
      stateDir: config.state.dir,
      compiled: true,
    });
    this.agent.start();
    await this.agent.ready((status) => status.chatdb.open && status.websocket.up);
    return this.agent;
  }

  get osascriptPath(): string {
    return this.#osascriptPath;
  }

  async startFloor(which: 'reader' | 'runner'): Promise<void> {
    const [program, first] =
      which === 'reader' ? ['floorReader.ts', this.#chatDbPath] : ['floorRunner.ts', String(this.backend.port)];
    const second = which === 'reader' ? String(this.backend.port) : this.#osascriptPath;
    const child = this.#spawn(program, [first, second]);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
  }

  /** Lets the Mac write; resolves when the last commit is done. */
  async write(order: { do: 'commit'; count: number; pause: [number, number] }): Promise<void> {
    this.#writer.stdin!.write(`${JSON.stringify(order)}\n`);
    await this.#next((line) => line.done === true);
  }

  /** From now on osascript takes so long. */
  async slowDown(scriptMs: number): Promise<void> {
    this.#writer.stdin!.write(`${JSON.stringify({ do: 'behave', scriptMs })}\n`);
    await this.#next((line) => line.done === true);
  }

  async burst(count: number, threads: number): Promise<{ guids: string[]; at: number }> {
    this.#writer.stdin!.write(`${JSON.stringify({ do: 'burst', count, threads })}\n`);
    const line = await this.#next((other) => other.burst !== undefined);
    return { guids: line.burst!, at: line.at! };
  }

  async close(): Promise<void> {
    await this.agent?.kill('SIGTERM');
    for (const child of this.#children) child.kill('SIGKILL');
    await this.backend.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #spawn(program: string, args: string[]): ChildProcess {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'processes', program), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }

  #heard(line: WriterLine): void {
    if (line.guid !== undefined) this.commits.set(line.guid, line.at!);
    if (line.effect !== undefined && line.startedAtUs !== undefined) {
      this.scriptStarts.set(line.effect, line.startedAtUs / 1000);
    }
    for (const waiting of [...this.#waiting]) waiting(line);
  }

  #next(test: (line: WriterLine) => boolean): Promise<WriterLine> {
    return new Promise((resolve) => {
      const waiting = (line: WriterLine) => {
        if (!test(line)) return;
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        resolve(line);
      };
      this.#waiting.push(waiting);
    });
  }
}

/** Resolves true when `test` holds, false after `timeoutMs`. */
export async function until(test: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!test()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return true;
}
