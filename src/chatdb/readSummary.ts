import type { MessageSummary, PartVersion } from './MessageSummary.ts';
import { readPlist } from './plist/readPlist.ts';
import { decodeText } from './typedstream/decodeBody.ts';
import { WorkBudget } from './typedstream/WorkBudget.ts';

/** 2001-01-01 UTC in ms since 1970: where the times of edits count from. */
const APPLE_EPOCH_MS = 978_307_200_000;
/** The furthest a Date reaches, ms. */
const MAX_TIME = 8.64e15;
/** Bytes that count as one value in what the versions may take together, some 6 MB: they may overlap in the file. */
const BYTES_PER_WORK = 64;

/** Undefined where the plist is damaged. Never throws. */
export function readSummary(bytes: Uint8Array): MessageSummary | undefined {
  try {
    const plist = readPlist(bytes);
    return plist instanceof Map ? summaryOf(plist) : undefined;
  } catch {
    return undefined;
  }
}

/** What a summary's plist, read, says. */
export function summaryOf(plist: ReadonlyMap<string, unknown>): MessageSummary {
  const associatedText = plist.get('ams');
  return {
    edits: editsOf(plist.get('ec')),
    editedParts: partNumbers(plist.get('ep')),
    unsentParts: partNumbers(plist.get('rp')),
    originalRanges: rangesOf(plist.get('otr')),
    associatedText: typeof associatedText === 'string' ? associatedText : undefined,
  };
}

function editsOf(stored: unknown): ReadonlyMap<number, readonly PartVersion[]> {
  const edits = new Map<number, PartVersion[]>();
  const budget = new WorkBudget();
  for (const [part, versions] of byPart(stored)) {
    if (!Array.isArray(versions)) continue;
    edits.set(
      part,
      versions.filter((version) => version instanceof Map).map((version) => versionOf(version, budget)),
    );
  }
  return edits;
}

/** A version whose text cannot be read stands there with an empty one, so that the others keep their places. */
function versionOf(stored: ReadonlyMap<string, unknown>, budget: WorkBudget): PartVersion {
  return { text: textOf(stored.get('t'), budget), writtenAt: timeOf(stored.get('d')) };
}

function textOf(body: unknown, budget: WorkBudget): string {
  if (!(body instanceof Uint8Array)) return '';
  try {
    budget.charge(1 + Math.floor(body.length / BYTES_PER_WORK));
    return decodeText(body, budget);
  } catch {
    return '';
  }
}

/** Seconds since 2001 with fractions, or a date; ms since 1970. */
function timeOf(stored: unknown): number | undefined {
  const ms =
    stored instanceof Date ? stored.getTime() : typeof stored === 'number' ? APPLE_EPOCH_MS + stored * 1000 : NaN;
  return Math.abs(ms) <= MAX_TIME ? Math.round(ms) : undefined;
}

function rangesOf(stored: unknown): ReadonlyMap<number, { start: number; length: number }> {
  const ranges = new Map<number, { start: number; length: number }>();
  for (const [part, range] of byPart(stored)) {
    if (!(range instanceof Map)) continue;
    const start: unknown = range.get('lo');
    const length: unknown = range.get('le');
    if (typeof start === 'number' && typeof length === 'number') ranges.set(part, { start, length });
  }
  return ranges;
}

/** A dictionary whose keys are part numbers, in order of the parts. */
function byPart(stored: unknown): [number, unknown][] {
  if (!(stored instanceof Map)) return [];
  const entries: [number, unknown][] = [];
  for (const [key, value] of stored) {
    const part = partNumber(key);
    if (part !== undefined) entries.push([part, value]);
  }
  return entries.sort(([a], [b]) => a - b);
}

/** A list of numbers, written as such or in digits; each once, in order. */
function partNumbers(stored: unknown): number[] {
  const list: unknown[] = Array.isArray(stored) ? stored : [stored];
  const parts = list.map(partNumber).filter((part) => part !== undefined);
  return [...new Set(parts)].sort((a, b) => a - b);
}

function partNumber(stored: unknown): number | undefined {
  if (typeof stored === 'string' && /^\d{1,6}$/.test(stored)) return Number(stored);
  return typeof stored === 'number' && Number.isInteger(stored) && stored >= 0 ? stored : undefined;
}
