import { randomUUID } from 'node:crypto';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { type ControlAnswer, controlRequest, errorOf } from '../ops/controlClient.ts';
import type { SendOutcome } from '../ops/controlRoutes.ts';
import { sleep, systemClock } from '../util/Clock.ts';
import { EdgeError } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';

/** How often a waiting `send` asks, ms. */
const POLL_MS = 200;

/** What the kernel says where nobody listens. */
const NOBODY: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);
/** Each call of `send` is a text of its own. */
const BEFORE_AGAIN =
  'Look at the thread in Messages before you send it again, which would be a second one; `edge-agent status` says how the agent is.';

export interface SendOptions extends CommonOptions {
  readonly to: string;
  readonly text: string;
  /** Seconds to wait for the outcome. */
  readonly wait: number;
}

/** `edge-agent send`: exit 0 confirmed, 1 failed, 75 not known (yet). */
export async function send(options: SendOptions, io: Io): Promise<number> {
  const { config } = openConfig(options, io);
  const socketPath = controlSocketPath(config.state.dir);
  const key = randomUUID();
  const body = { key, thread_id: options.to, text: options.text };
  const deadline = systemClock.monotonic() + options.wait * 1000;
  let answer: ControlAnswer | undefined;
  try {
    answer = await controlRequest({ socketPath, method: 'POST', path: '/send', body });
    while (!errorOf(answer) && isOpen(answer) && systemClock.monotonic() < deadline) {
      await sleep(systemClock, POLL_MS);
      answer = await controlRequest({ socketPath, method: 'GET', path: `/send?key=${key}` });
    }
  } catch (error) {
    // What was answered once is on disk; who was asked and did not answer may have it on disk.
    if (!(error instanceof EdgeError) || (answer === undefined && !wasAsked(error))) throw error;
    const words =
      answer === undefined ? 'The text may still go out' : 'The agent has the text, which goes out when it can';
    io.err(`edge-agent: ${error.code}: ${printable(error.message)}\n  ${words}. ${BEFORE_AGAIN}\n`);
    return EXIT.tempFail;
  }
  const error = errorOf(answer);
  if (error) {
    io.err(`edge-agent: ${error.code}: ${printable(error.message)}\n${error.fix ? `  ${error.fix}\n` : ''}`);
    return answer.status === 400 ? EXIT.data : EXIT.tempFail;
  }
  const outcome = answer.body as SendOutcome;
  io.out(`${printable(options.json ? JSON.stringify(outcome) : sentence(outcome))}\n`);
  return exitCode(outcome);
}

/** Whether somebody was there who may have read what was asked. */
function wasAsked({ cause }: EdgeError): boolean {
  return cause !== undefined && !NOBODY.has((cause as NodeJS.ErrnoException).code ?? '');
}

function isOpen(answer: ControlAnswer): boolean {
  return ['held', 'queued', 'sending', 'accepted'].includes((answer.body as SendOutcome).state);
}

function exitCode({ state }: SendOutcome): number {
  if (state === 'confirmed' || state === 'delivered') return EXIT.ok;
  return state === 'failed' ? 1 : EXIT.tempFail;
}

function sentence({ send_id, state, guid, guids, code, detail }: SendOutcome): string {
  const why = `${code ?? 'no code'}: ${detail ?? 'no detail'}`;
  switch (state) {
    case 'confirmed':
    case 'delivered':
      if (guids) return `sent: send ${send_id} is ${guids.length} bubbles, chat.db has them as ${guids.join(', ')}`;
      return `sent: send ${send_id} is ${state}, chat.db has it as ${guid}`;
    case 'failed':
      return `not sent: send ${send_id} failed. ${why}`;
    case 'unknown':
      return `not known: send ${send_id} may have gone out. ${why}`;
    default:
      return `not sent yet: send ${send_id} is ${state}. The agent goes on with it; \`edge-agent status\` says if something is in its way.`;
  }
}
