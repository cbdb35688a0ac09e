import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What the hub saw; `at` is on the clock that all processes of a machine share, ms. */
export interface Sighting {
  at: number;
  port?: number;
  sent?: string;
  channel?: string;
  ack?: string;
  status?: string;
  up?: true;
}

/** The real hub in another process, with a database that outlives it, on one port however often it is started. */
export class HubProcess {
  readonly secret = randomBytes(16).toString('hex');
  readonly #adminToken = randomBytes(16).toString('hex');
  readonly #dir = mkdtempSync(join(tmpdir(), 'edge-bench-hub-'));
  #child: ChildProcess | undefined;
  #port = 0;
  #seen: Sighting[] = [];

  /** Resolves with when it listened. */
  async start(): Promise<number> {
    const program = join(import.meta.dirname, 'processes/hub.ts');
    const args = [program, join(this.#dir, 'hub.db'), String(this.#port), this.secret, this.#adminToken];
    this.#seen = [];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#seen.push(JSON.parse(line)));
    const { port, at } = await this.see(({ port }) => port !== undefined, 20_000);
    this.#port = port!;
    return at;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  async close(): Promise<void> {
    await this.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The first that fits, of those since the start; resolves when it comes. @throws Error after `timeoutMs` */
  async see(test: (sighting: Sighting) => boolean, timeoutMs: number): Promise<Sighting> {
    const deadline = performance.now() + timeoutMs;
    for (let next = 0; ; ) {
      for (; next < this.#seen.length; next++) if (test(this.#seen[next]!)) return this.#seen[next]!;
      if (performance.now() > deadline) throw new Error('the hub did not see it in time');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** The operator's way: POST /api/commands. */
  async command(command: {
    edge_agent_id: string;
    command_id: string;
    command_type: string;
    payload: object;
  }): Promise<void> {
    const response = await fetch(`${this.url}/api/commands`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.#adminToken}` },
      body: JSON.stringify(command),
    });
    if (!response.ok) throw new Error(`the hub took no command: ${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  }

  /** Closes the sockets, lets in no new ones, and has a command that can only be polled. */
  socketsOff(agentId: string, commandId: string): void {
    this.#child!.stdin!.write(`${JSON.stringify({ do: 'off', agentId, commandId })}\n`);
  }

  socketsOn(): void {
    this.#child!.stdin!.write(`${JSON.stringify({ do: 'on' })}\n`);
  }
}
