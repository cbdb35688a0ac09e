import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Behaviour } from './Behaviour.ts';
import type { AnswerTo, BehaviourMessage, ControlLine, Orders, ReadyEvent } from './control.ts';
import type { Incoming } from './Incoming.ts';
import type { Effect } from './Messages.ts';
import type { SimulatedMacOptions } from './SimulatedMac.ts';

interface Waiting {
  resolve(answer: object): void;
  reject(error: Error): void;
}

/** A simulated Mac in a process of its own, so that neither its load nor its death is the caller's. */
export class SimulatorProcess {
  /** Every bubble that went out so far. */
  readonly effects: Effect[] = [];
  readonly pid: number;
  readonly paths: Omit<ReadyEvent, 'event'>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  readonly #hooks = new Map<string, () => void | Promise<void>>();
  #lastId = 0;

  /** Starts it and resolves when its osascript can be called. Its stderr is the caller's. */
  static async start(o: Omit<SimulatedMacOptions, 'clock'>): Promise<SimulatorProcess> {
    const args = [join(import.meta.dirname, 'main.ts'), '--dir', o.dir, '--delays', JSON.stringify(o.delays ?? {})];
    if (o.macos !== undefined) args.push('--macos', String(o.macos));
    if (o.synchronous !== undefined) args.push('--synchronous', o.synchronous);
    if (o.schema !== undefined) args.push('--schema', JSON.stringify(o.schema));
    if (o.effectsFile !== undefined) args.push('--effects', o.effectsFile);
    const child = spawn(process.execPath, args);
    child.stderr.pipe(process.stderr, { end: false });
    const lines = createInterface({ input: child.stdout });
    const first = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
    if (first.length === 0) throw new Error('the simulated Mac did not start');
    const started = new SimulatorProcess(child, JSON.parse(first[0]) as ReadyEvent);
    lines.on('line', (line) => started.#heard(JSON.parse(line) as ControlLine));
    child.once('exit', () => started.#ended());
    return started;
  }

  private constructor(child: ChildProcessWithoutNullStreams, { event: _, ...paths }: ReadyEvent) {
    this.#child = child;
    this.pid = child.pid!;
    this.paths = paths;
  }

  /** Gives an order and resolves with its answer; rejects when it is refused or the process ends first. */
  order<K extends keyof Orders>(name: K, order: Orders[K]): Promise<AnswerTo<K>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        reject(new Error('the simulated Mac has ended'));
        return;
      }
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as AnswerTo<K>), reject });
      this.#child.stdin.write(`${JSON.stringify({ ...order, do: name, id })}\n`);
    });
  }

  /** Somebody writes. Resolves with the guid. */
  async receive(message: Incoming): Promise<string> {
    return (await this.order('receive', { message })).guid;
  }

  /** The next sends behave like this; hooks are called in this process. */
  async behave({ beforeEffect, afterEffect, ...behaviour }: Behaviour): Promise<void> {
    const message: BehaviourMessage = {
      ...behaviour,
      ...(beforeEffect && { beforeEffect: this.#keep(beforeEffect) }),
      ...(afterEffect && { afterEffect: this.#keep(afterEffect) }),
    };
    await this.order('behave', { behaviour: message });
  }

  /** Turns the Mac off and waits for its end. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }

  /** As when the power fails: no row that is due is written any more. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #keep(hook: () => void | Promise<void>): string {
    const name = `hook-${this.#hooks.size + 1}`;
    this.#hooks.set(name, hook);
    return name;
  }

  #heard(line: ControlLine): void {
    if ('event' in line) {
      if (line.event === 'effect') this.effects.push(line.effect);
      if (line.event === 'hook') void this.#callHook(line.hook);
      return;
    }
    const waiting = this.#waiting.get(line.id ?? 0);
    this.#waiting.delete(line.id ?? 0);
    if (line.ok) waiting?.resolve(line);
    else waiting?.reject(new Error(line.error));
  }

  async #callHook(name: string): Promise<void> {
    await this.#hooks.get(name)?.();
    try {
      await this.order('resume', { hook: name });
    } catch {
      // The Mac ended while the hook ran, so nothing waits for it any more.
    }
  }

  #ended(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the simulated Mac has ended'));
    this.#waiting.clear();
  }
}
