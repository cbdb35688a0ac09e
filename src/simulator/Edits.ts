import { appleNanoseconds } from './appleTime.ts';
import type { SqlValue } from './ChatDbFile.ts';
import { partCount, textOf } from './contents.ts';
import type { WriterParts } from './MessageWriter.ts';
import { encodeSummary, type WrittenVersion } from './messageSummary.ts';
import { storedSegments } from './storedBody.ts';
import { type BodySegment, encodeBody } from './typedstreamEncoder.ts';

/** Apple allows five. */
const MAX_EDITS = 5;

export interface EditOptions {
  /** Which part of the message. @default the first that is no attachment */
  readonly part?: number;
  /** date_edited comes in a commit of its own, and the new text after so many ms. @default one commit */
  readonly bodyMs?: number;
  /** When, ms since 1970. @default now */
  readonly at?: number;
}

/** What became of one message, as message_summary_info keeps it. */
interface History {
  readonly edits: Map<number, WrittenVersion[]>;
  readonly unsentParts: number[];
  readonly originalRanges: ReadonlyMap<number, { readonly start: number; readonly length: number }>;
  /** Edits and unsendings so far. */
  changes: number;
}

/**
 * Those who change what they wrote; macOS 13 and later. Row and guid stay. The history is kept here beside the row: it
 * begins anew when the Mac is turned off.
 */
export class Edits {
  readonly #o: WriterParts;
  readonly #histories = new Map<string, History>();

  constructor(o: WriterParts) {
    this.#o = o;
  }

  /** The text, or one part of it, is another: body, message_summary_info (ec, ep, otr) and date_edited. */
  edit(guid: string, text: string, o: EditOptions = {}): void {
    const segments = this.#segmentsOf(guid);
    const part = o.part ?? segments.find(({ attachment }) => attachment === undefined)?.part ?? 0;
    const at = o.at ?? this.#o.dates.now();
    const history = this.#historyOf(guid, segments);
    const { edits } = history;
    const versions = edits.get(part) ?? [this.#original(guid, segments, part)];
    if (versions.length > MAX_EDITS) throw new Error(`${guid} was edited ${MAX_EDITS} times already`);
    const body = encodeBody([{ text, part }]);
    edits.set(part, [...versions, { body, at }]);
    const change = ++history.changes;

    const changed = segments.filter((segment) => (segment.part ?? 0) !== part);
    const place = changed.findIndex((segment) => (segment.part ?? 0) > part);
    changed.splice(place < 0 ? changed.length : place, 0, { text, part });
    const contents = { ...this.#written(changed), ...this.#summary(guid) };
    const date = { date_edited: appleNanoseconds(at) };
    if (o.bodyMs === undefined) {
      this.#o.rows.set(guid, { ...contents, ...date });
      return;
    }
    this.#o.rows.set(guid, date);
    this.#o.later.after(o.bodyMs, () => {
      if (history.changes === change) this.#o.rows.set(guid, contents); // else it has been written over
    });
  }

  /** The message, or one part of several, is taken back: what remains stays in the row (rp, part_count, is_empty). */
  unsend(guid: string, o: { part?: number; at?: number } = {}): void {
    const segments = this.#segmentsOf(guid);
    const history = this.#historyOf(guid, segments);
    const { unsentParts, edits } = history;
    history.changes++;
    const parts = [...new Set(segments.map(({ part }) => part ?? 0))];
    const gone = o.part === undefined ? parts : [o.part];
    unsentParts.push(...gone);
    for (const part of gone) edits.delete(part);
    const left = segments.filter(({ part }) => !gone.includes(part ?? 0));
    this.#o.rows.set(guid, {
      ...this.#written(left),
      part_count: left.length === 0 ? 0 : partCount(left),
      is_empty: left.length === 0 ? 1 : 0,
      // Not set by an unsend, whatever its name says.
      date_retracted: 0,
      date_edited: appleNanoseconds(o.at ?? this.#o.dates.now()),
      ...this.#summary(guid),
    });
  }

  #written(segments: readonly BodySegment[]): Record<string, SqlValue> {
    return {
      text: this.#o.file.fillsText ? textOf(segments) : null,
      attributedBody: segments.length === 0 ? null : encodeBody(segments),
    };
  }

  #segmentsOf(guid: string): readonly BodySegment[] {
    const segments = storedSegments(this.#o.file, guid);
    if (!segments) throw new Error(`no message ${guid}`);
    if (this.#o.file.macos < 13) throw new Error(`macOS ${this.#o.file.macos} knows no edits`);
    return segments;
  }

  #historyOf(guid: string, segments: readonly BodySegment[]): History {
    let history = this.#histories.get(guid);
    if (!history) {
      history = { edits: new Map(), unsentParts: [], originalRanges: rangesOf(segments), changes: 0 };
      this.#histories.set(guid, history);
    }
    return history;
  }

  #original(guid: string, segments: readonly BodySegment[], part: number): WrittenVersion {
    const { at } = this.#o.file.get<{ at: number }>(
      'SELECT date / 1000000 + 978307200000 AS at FROM message WHERE guid = ?',
      guid,
    )!;
    return { body: encodeBody(segments.filter((segment) => (segment.part ?? 0) === part)), at };
  }

  #summary(guid: string): Record<string, SqlValue> {
    return { message_summary_info: encodeSummary(this.#histories.get(guid)!) };
  }
}

function rangesOf(segments: readonly BodySegment[]): Map<number, { start: number; length: number }> {
  const ranges = new Map<number, { start: number; length: number }>();
  let end = 0;
  for (const { part = 0, text } of segments) {
    const range = ranges.get(part) ?? { start: end, length: 0 };
    ranges.set(part, { ...range, length: range.length + text.length });
    end += text.length;
  }
  return ranges;
}
