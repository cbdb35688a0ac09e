import type { Clock } from '../../util/Clock.ts';
import { sleep } from '../../util/Clock.ts';
import type { Script, ScriptAnswer, ScriptRule } from './loadScript.ts';
import { type Answer, type IncomingMessage, type Reply, type Responder, SILENCE } from './Responder.ts';

/** A pattern looks at so many characters of a message; a backtracking pattern then stays slow but ends. */
const MATCHED_CHARACTERS = 2_000;

/** Answers by the rules of a script: the first that matches decides, else the default, else silence. */
export class ScriptResponder implements Responder {
  readonly #script: Script;
  readonly #clock: Clock;

  constructor(options: { script: Script; clock: Clock }) {
    this.#script = options.script;
    this.#clock = options.clock;
  }

  async respond(message: IncomingMessage, reply: Reply): Promise<Answer> {
    const rule: ScriptAnswer | undefined =
      this.#script.rules.find((candidate) => matches(candidate, message)) ?? this.#script.default;
    if (!rule) return SILENCE;
    const fill = <T>(value: T) => filled(value, message);
    if (rule.reflex !== undefined) void reply.reflex(fill(rule.reflex));
    if (rule.delay_ms) {
      await sleep(this.#clock, rule.delay_ms, reply.signal);
      reply.signal.throwIfAborted();
    }
    return {
      should_respond: rule.reflex !== undefined || rule.bubbles.length > 0,
      bubbles: fill(rule.bubbles),
      burst_delay_ms: rule.burst_delay_ms,
      schedule: fill(rule.schedule),
      commands: fill(rule.commands),
    };
  }
}

function matches(rule: ScriptRule, message: IncomingMessage): boolean {
  if (rule.from !== undefined && rule.from !== message.sender) return false;
  if (rule.group !== undefined && rule.group !== message.isGroup) return false;
  if (typeof rule.match === 'string') return rule.match === message.text.trim();
  return rule.match.test(message.text.slice(0, MATCHED_CHARACTERS));
}

/** A copy of `value` with `{{text}}`, `{{sender}}` and `{{thread_id}}` replaced in every string, once, not again inside what was put in. */
function filled<T>(value: T, message: IncomingMessage): T {
  const words: Record<string, string> = { text: message.text, sender: message.sender, thread_id: message.threadId };
  const fill = (part: unknown): unknown => {
    if (typeof part === 'string')
      return part.replace(/\{\{(text|sender|thread_id)\}\}/g, (_, word: string) => words[word]!);
    if (Array.isArray(part)) return part.map(fill);
    if (part === null || typeof part !== 'object') return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, fill(inner)]));
  };
  return fill(value) as T;
}
