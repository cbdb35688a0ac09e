import { z } from 'zod';
import { MAX_COST, TextPattern } from '../util/TextPattern.ts';
import { keyDocs, section } from './keys.ts';
import { nearestOf } from './nearestOf.ts';

const DETECTORS = ['payment_card', 'iban', 'us_ssn', 'one_time_code', 'api_key', 'private_key'] as const;
/** Names that stand in the place of something found, besides those of the detectors. */
const TAKEN: readonly string[] = [...DETECTORS, 'unscanned'];
/** Entries of one list: more is a data base, not a setting. */
const MAX_ENTRIES = 200;

const NAME = '1 to 40 small letters, digits or _';
const REDACT = `a list with any of ${DETECTORS.join(', ')}, and of patterns: { name, pattern }`;
const ENTRIES = 'a list of thread ids, handles or service:iMessage, service:SMS, service:RCS, in quotes';
const DROP = 'a list of rules: { name, and at least one of pattern, from, service, thread }';
const ENTRY = 'a text in quotes';
const SERVICE = 'one of iMessage, SMS, RCS';
const SENDER_KINDS = ['short_code', 'business', 'email', 'phone'] as const;

/** Keys of an entry, by list. */
export const ENTRY_KEYS: Readonly<Record<string, readonly string[]>> = {
  'privacy.redact': ['name', 'pattern'],
  'privacy.drop': ['name', 'pattern', 'from', 'service', 'thread'],
};

const name = z.string({ error: NAME }).regex(/^[a-z0-9_]{1,40}$/, { error: NAME });
const pattern = z.string({ error: 'a pattern in quotes' }).superRefine((source, context) => {
  const compiled = source.includes('\b')
    ? { flaw: 'a pattern in single quotes: in double ones \\b is a backspace' }
    : TextPattern.compile(source);
  if ('flaw' in compiled) context.addIssue({ code: 'custom', message: compiled.flaw });
});
const text = z
  .string({ error: ENTRY })
  .max(512, { error: 'at most 512 characters' })
  .refine((value) => value.trim() !== '', { error: 'a text that is not empty' })
  .refine((value) => !value.includes('*'), { error: 'each handle or thread id in full: * stands for nothing else' });
const sender = text.superRefine((value, context) => {
  // Names of senders are written in capitals or with one; what looks like a kind is one that is misspelt.
  const meant = value === value.toLowerCase() ? nearestOf(value, SENDER_KINDS) : undefined;
  if (meant === undefined || meant === value) return;
  const message = `a handle or one of ${SENDER_KINDS.join(', ')}; did you mean ${meant}?`;
  context.addIssue({ code: 'custom', message });
});
const entry = text.refine((value) => !/^service:/i.test(value) || isService(value.slice('service:'.length)), {
  error: 'service:iMessage, service:SMS or service:RCS',
});

const namedPattern = z.strictObject(
  {
    name: name.refine((value) => !TAKEN.includes(value), { error: 'a name that no detector has' }),
    pattern,
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'a pattern: { name, pattern }' : undefined) },
);
const detector = z.enum(DETECTORS, {
  error: ({ input }) => {
    const meant = typeof input === 'string' ? nearestOf(input, DETECTORS) : undefined;
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    return `one of ${DETECTORS.join(', ')}, or a pattern: { name, pattern }${hint}`;
  },
});
type Redacted = z.output<typeof detector> | z.output<typeof namedPattern>;

/** A union would say of a pattern only that it is no entry; so its own problems are told, each with its place. */
const redacted = z.unknown().transform((value, context): Redacted => {
  const type = typeof value === 'object' && value !== null ? namedPattern : detector;
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as never);
  return z.NEVER;
});

const dropRule = z
  .strictObject(
    {
      name,
      pattern: pattern.optional(),
      from: sender.optional(),
      service: z.string({ error: SERVICE }).refine(isService, { error: SERVICE }).optional(),
      thread: text.optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'a rule: { name, … }' : undefined) },
  )
  .refine((rule) => [rule.pattern, rule.from, rule.service, rule.thread].some((given) => given !== undefined), {
    error: 'at least one of pattern, from, service, thread',
  });

export const privacySection = section('What does not leave this Mac. docs/PRIVACY.md says how each works.', {
  redact: list(redacted, {
    doc: 'What is replaced in texts before they are handed over: what the detectors named find, and what patterns of your own match, in RE2 syntax.',
    expected: REDACT,
  }),
  threads: section('Whose messages are handed over.', {
    allow: list(entry, {
      doc: 'Only messages of these threads, from these handles or by these services are handed over. Empty: all are.',
      expected: ENTRIES,
    }),
    deny: list(entry, {
      doc: 'Messages of these threads, from these handles (in groups too) or by these services are not handed over, whatever allow says.',
      expected: ENTRIES,
    }),
  }),
  drop: list(dropRule, {
    doc: 'Messages that are not handed over: those for which all that a rule gives holds. pattern (RE2 syntax) is looked for in the text; from is a handle or one of short_code, business, email, phone.',
    expected: DROP,
  }),
}).superRefine(({ redact, drop }, context) => {
  uniqueNames('redact', redact, context);
  uniqueNames('drop', drop, context);
  let cost = 0;
  for (const [key, entries] of Object.entries({ redact, drop })) {
    entries.forEach((one, index) => {
      cost += typeof one === 'string' || one.pattern === undefined ? 0 : costOf(one.pattern);
      if (cost <= MAX_COST) return;
      const message = 'less: with it the patterns together take too long; name fewer, or repeat less ({1,30}) in them';
      context.addIssue({ code: 'custom', path: [key, index, 'pattern'], message });
      cost = Number.NEGATIVE_INFINITY; // said once
    });
  }
});

function list<T extends z.ZodType>(type: T, { doc, expected }: { doc: string; expected: string }) {
  return z
    .array(type, { error: expected })
    .max(MAX_ENTRIES, { error: `at most ${MAX_ENTRIES} entries` })
    .default([])
    .register(keyDocs, { doc, expected });
}

function uniqueNames(key: string, entries: readonly (string | { name: string })[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  entries.forEach((one, index) => {
    if (typeof one === 'string') return;
    if (seen.has(one.name)) {
      context.addIssue({ code: 'custom', path: [key, index, 'name'], message: 'a name of its own' });
    }
    seen.add(one.name);
  });
}

/** 0 for a pattern that is refused already. */
function costOf(source: string): number {
  const compiled = TextPattern.compile(source);
  return 'flaw' in compiled ? 0 : compiled.cost;
}

function isService(value: string): boolean {
  return /^(?:imessage|sms|rcs)$/i.test(value.trim());
}
