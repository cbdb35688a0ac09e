import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { MAX_COMMAND_ID_LENGTH } from '../../protocol/wire.ts';
import { EdgeError } from '../../util/EdgeError.ts';

/** Longest pattern, characters. The text it runs on is short too, which bounds what a slow pattern can cost. */
const MAX_PATTERN = 500;
const MAX_RULES = 1_000;
const MAX_BUBBLES = 50;
const MAX_TEMPLATE = 100_000;
/** A rule repeats the incoming text (up to 1 MiB) at most so often, so that a message cannot fill the memory. */
const MAX_PLACEHOLDERS = 16;
const MAX_DELAY_MS = 10 * 60_000;
const MAX_SCHEDULE_MS = 366 * 86_400_000;

const template = z.string().min(1).max(MAX_TEMPLATE);
const delay = z.number().int().nonnegative().max(MAX_DELAY_MS);

const answerFields = {
  reflex: template.optional(),
  bubbles: z.array(template).max(MAX_BUBBLES).default([]),
  delay_ms: delay.optional(),
  burst_delay_ms: delay.optional(),
  schedule: z
    .array(z.strictObject({ in_ms: z.number().int().nonnegative().max(MAX_SCHEDULE_MS), text: template }))
    .max(MAX_BUBBLES)
    .optional(),
  commands: z
    .array(
      z.strictObject({
        command_id: z.string().min(1).max(MAX_COMMAND_ID_LENGTH).optional(),
        command_type: z.string().min(1),
        payload: z.record(z.string(), z.unknown()).optional(),
        priority: z.enum(['normal', 'immediate']).optional(),
      }),
    )
    .max(MAX_BUBBLES)
    .optional(),
};

const fewPlaceholders = (rule: unknown) =>
  (JSON.stringify(rule).match(/\{\{text\}\}/g)?.length ?? 0) <= MAX_PLACEHOLDERS;
const placeholderProblem = `repeats {{text}} more than ${MAX_PLACEHOLDERS} times`;

const patternSchema = z
  .string()
  .min(1)
  .max(MAX_PATTERN)
  .transform((pattern, context): string | RegExp => {
    const regex = /^\/(.*)\/([a-z]*)$/s.exec(pattern);
    if (!regex) return pattern.trim();
    // g and y make a RegExp remember where it stopped, so that every other message would not match.
    if (/[gy]/.test(regex[2]!)) context.addIssue('the flags g and y have no use here');
    try {
      return new RegExp(regex[1]!, regex[2]!);
    } catch (error) {
      context.addIssue((error as SyntaxError).message);
      return z.NEVER;
    }
  });

const ruleSchema = z
  .strictObject({
    match: patternSchema,
    from: z.string().min(1).optional(),
    group: z.boolean().optional(),
    ...answerFields,
  })
  .refine(fewPlaceholders, placeholderProblem);
const scriptSchema = z.strictObject({
  rules: z.array(ruleSchema).max(MAX_RULES).default([]),
  default: z.strictObject(answerFields).refine(fewPlaceholders, placeholderProblem).optional(),
});

/** One rule: whom it is for, and what is answered. */
export type ScriptRule = z.output<typeof ruleSchema>;
export type ScriptAnswer = Omit<ScriptRule, 'match' | 'from' | 'group'>;
/** A conversation by rules; the first that matches decides, else the default, else silence. */
export type Script = { rules: ScriptRule[]; default?: ScriptAnswer | undefined };

/**
 * Reads the text of a script file.
 * @param file its name, for the problems
 * @throws EdgeError EDGE_CONFIG_INVALID naming every problem as file:line:column
 */
export function loadScript(text: string, file: string): Script {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  const problems = document.errors.map((error) => `${at(error.pos[0])}: ${error.message.split('\n')[0]}`);
  if (problems.length === 0) {
    const parsed = scriptSchema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
      for (const key of unknown) {
        const path = key === undefined ? issue.path : [...issue.path, key];
        const message = key === undefined ? issue.message : 'unknown key';
        problems.push(`${at(offsetOf(document.contents, path))}: ${path.join('.') || 'script'}: ${message}`);
      }
    }
  }
  throw new EdgeError('EDGE_CONFIG_INVALID', `the script has problems:\n  ${problems.join('\n  ')}`);
}

/** Where the value at `path` stands (a map's entry: its key), or the nearest place above it that the file has. */
function offsetOf(root: unknown, path: readonly PropertyKey[]): number | undefined {
  let node = root;
  let offset = startOf(root);
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
