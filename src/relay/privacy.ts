import { MAX_COST, type Span, type Steps, TextPattern } from '../util/TextPattern.ts';
import { DETECTORS, type DetectorName } from './detectors/detectors.ts';
import { foldText } from './detectors/foldText.ts';
import { dropMatcher } from './dropRules.ts';
import { type LabelledSpan, replaceSpans } from './replaceSpans.ts';
import { type AboutMessage, allowedBy, deniedBy } from './threadRules.ts';

/**
 * Steps (an instruction on a character) that the patterns of the settings may take on one message to look it through
 * once, and the steps for looking on after a match. One step was measured at 16 ns at worst, so that all
 * of them stay under 50 ms; a text too long for them is cut where they end.
 */
const FIRST_STEPS = 1_000 * MAX_COST;
const FURTHER_STEPS = 1_200_000;
/**
 * Characters before the place where the looking through ends that are left out too: what begins there may be the greater
 * part of something that is found only as a whole.
 */
export const EDGE = 256;
/** What stands for the end of a text that was not looked through. */
const UNSCANNED = 'unscanned';
/** What is left of a text of which nothing was looked through. */
export const NOTHING_SCANNED = `[redacted:${UNSCANNED}]`;

/** What the privacy settings keep on this Mac. */
export interface PrivacyFilter {
  /** Why the message is not handed over: `thread_denied`, `thread_not_allowed`, `drop:<rule>`; undefined: it may pass. */
  refuses(about: AboutMessage): string | undefined;
  /**
   * The text with what was found replaced by `[redacted:<name>]`, and the names found, in the order of the settings;
   * `unscanned` is among them where the end of the text is left out, because looking through it would take too long.
   * `codes` are one-time codes that the body marks. `steps` are taken off, for texts that share what one may take.
   */
  redact(text: string, o?: { codes?: readonly string[]; steps?: Steps }): { text: string; redacted: string[] };
}

/** A pattern of the settings: RE2 syntax, checked when the settings were read. */
export interface NamedPattern {
  readonly name: string;
  readonly pattern: string;
}

export interface PrivacySettings {
  readonly redact: readonly (DetectorName | NamedPattern)[];
  /** @default all */
  readonly allowThreads?: readonly string[];
  readonly denyThreads: readonly string[];
  /** @default none */
  readonly drop?: readonly {
    readonly name: string;
    readonly pattern?: string | undefined;
    readonly from?: string | undefined;
    readonly service?: string | undefined;
    readonly thread?: string | undefined;
  }[];
}

interface Finder {
  readonly name: string;
  /** What it finds, and how far it has looked. */
  find(text: string, steps: Steps): { found: Span[]; lookedTo: number };
}

/** @throws Error when a pattern cannot be used, which reading the settings has ruled out */
export function createPrivacyFilter(settings: PrivacySettings): PrivacyFilter {
  const denied = settings.denyThreads.map(deniedBy);
  const allowed = (settings.allowThreads ?? []).map(allowedBy);
  const rules = (settings.drop ?? []).map((rule) => ({
    ...rule,
    pattern: rule.pattern === undefined ? undefined : compiled(rule.pattern),
  }));
  const drops = rules.map((rule) => ({ name: rule.name, matches: dropMatcher(rule) }));
  const redacted = settings.redact.map((entry) =>
    typeof entry === 'string' ? entry : { name: entry.name, pattern: compiled(entry.pattern) },
  );
  const patterns = [...rules, ...redacted].flatMap((one) => (typeof one === 'string' ? [] : (one.pattern ?? [])));
  const longest = longestText(patterns);

  return {
    refuses(about) {
      if (denied.some((matches) => matches(about))) return 'thread_denied';
      if (allowed.length > 0 && !allowed.some((matches) => matches(about))) return 'thread_not_allowed';
      // What is past the longest text is never handed over: no rule has to see it.
      const seen = { ...about, text: about.text.slice(0, longest) };
      const rule = drops.find(({ matches }) => matches(seen));
      return rule && `drop:${rule.name}`;
    },
    redact(text, { codes = [], steps = stepsFor(1) } = {}) {
      const most = Math.min(longest, longestText(patterns, Math.max(0, steps.left)));
      if (redacted.length === 0 && text.length <= most) return { text, redacted: [] };
      const seen = text.slice(0, most);
      steps.left -= seen.length * costOf(patterns);
      const folded = foldText(seen);
      const finders: Finder[] = redacted.map((one) =>
        typeof one === 'string'
          ? {
              name: one,
              find: () => ({
                found: DETECTORS[one](
                  folded.text,
                  codes.map((code) => foldText(code).text),
                ).map(folded.original),
                lookedTo: seen.length,
              }),
            }
          : { name: one.name, find: (whole, steps) => one.pattern.findAll(whole, steps) },
      );
      return replaced(text, seen, finders, steps);
    },
  };
}

/** Characters of a text that all patterns can look through within FIRST_STEPS. */
export function longestText(patterns: readonly Pick<TextPattern, 'cost'>[], steps = FIRST_STEPS): number {
  const cost = costOf(patterns);
  return cost === 0 ? Number.POSITIVE_INFINITY : Math.floor(Math.min(steps, FIRST_STEPS) / cost);
}

/** What that many messages may take. */
export function stepsFor(messages: number): Steps {
  return { left: messages * (FIRST_STEPS + FURTHER_STEPS) };
}

function costOf(patterns: readonly Pick<TextPattern, 'cost'>[]): number {
  return patterns.reduce((sum, pattern) => sum + pattern.cost, 0);
}

/** Every finder sees the whole text, not what another has left of it: half of a number is none. */
function replaced(text: string, seen: string, finders: readonly Finder[], all: Steps) {
  const most = Math.min(FURTHER_STEPS, Math.max(0, all.left));
  const steps = { left: most };
  let end = seen.length < text.length ? Math.max(0, seen.length - EDGE) : text.length;
  const spans: LabelledSpan[] = finders.flatMap(({ name, find }) => {
    const { found, lookedTo } = find(seen, steps);
    end = Math.min(end, lookedTo);
    return found.map((span) => ({ ...span, label: name }));
  });
  all.left -= most - steps.left;
  const names = new Set(spans.map(({ label }) => label));
  if (end < text.length) spans.push({ start: end, end: text.length, label: UNSCANNED });
  const order = [...new Set(finders.map(({ name }) => name)), UNSCANNED];
  if (end < text.length) names.add(UNSCANNED);
  return { text: replaceSpans(text, spans), redacted: order.filter((name) => names.has(name)) };
}

function compiled(source: string): TextPattern {
  const pattern = TextPattern.compile(source);
  if ('flaw' in pattern) throw new Error(`a pattern of privacy is not ${pattern.flaw}`);
  return pattern;
}
