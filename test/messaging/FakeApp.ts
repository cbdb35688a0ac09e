import type { ScriptResult, ScriptRunner } from '../../src/messaging/ScriptRunner.ts';
import { MessagesProcess } from '../../src/simulator/MessagesProcess.ts';
import type { Clock } from '../../src/util/Clock.ts';
import { EXIT_0, type FakeMac, scriptError, TIMED_OUT } from './FakeMac.ts';

/** The osascript of a test: sends go to the FakeMac behind it, everything else is about Messages as a process. */
export class FakeApp implements ScriptRunner {
  readonly process = new MessagesProcess();
  /** What was asked, in order: probe, launch, quit, TERM, KILL, running?, send. */
  readonly asked: string[] = [];
  isPermitted = true;
  /** Answers this to probes that reach it. */
  probeResult: ScriptResult = { ...EXIT_0, stdout: '1\n' };
  /** Messages hangs again each time it is started: it is not Messages that hangs. */
  hangsAgain = false;
  /** Thrown in place of a run while set. */
  broken: Error | undefined;
  readonly #mac: FakeMac;
  readonly #clock: () => Clock;

  constructor(mac: FakeMac, clock: () => Clock) {
    this.#mac = mac;
    this.#clock = clock;
  }

  async run(script: string, args: readonly string[], { timeoutMs }: { timeoutMs: number }): Promise<ScriptResult> {
    const what = args.length > 0 ? 'send' : nameOf(script);
    this.asked.push(what);
    if (this.broken) throw this.broken;
    if (what === 'running?') return { ...EXIT_0, stdout: `${this.process.isRunning}\n` };
    if (what === 'TERM' || what === 'KILL') {
      this.process.end(`SIG${what}`);
      return EXIT_0;
    }
    if (what === 'launch') return { ...EXIT_0, stdout: this.#launch() };
    if (!this.process.isRunning) return scriptError(-600);
    if (what === 'quit') this.process.end('quit');
    if (this.process.isHanging) return this.#never(timeoutMs);
    if (!this.isPermitted) return scriptError(-1743);
    if (what === 'send') return this.#mac.run(script, args);
    return what === 'probe' ? this.probeResult : EXIT_0;
  }

  async idle(): Promise<void> {}

  /** Of the questions only those of this kind. */
  count(what: string): number {
    return this.asked.filter((name) => name === what).length;
  }

  #launch(): string {
    if (this.process.isRunning) return 'running\n';
    this.process.launch();
    if (this.hangsAgain) this.process.hang();
    return 'launched\n';
  }

  #never(timeoutMs: number): Promise<ScriptResult> {
    return new Promise((resolve) => {
      this.#clock().after(timeoutMs, () => resolve(TIMED_OUT));
    });
  }
}

function nameOf(script: string): string {
  if (/open -gja/.test(script)) return 'launch';
  if (/to quit/.test(script)) return 'quit';
  if (/count of accounts/.test(script)) return 'probe';
  return /killall -(TERM|KILL)/.exec(script)?.[1] ?? 'running?';
}
