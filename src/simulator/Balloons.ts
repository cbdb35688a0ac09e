import { randomUUID } from 'node:crypto';
import type { SqlValue } from './ChatDbFile.ts';
import { attachmentGuid } from './contents.ts';
import type { Incoming } from './Incoming.ts';
import type { MessageWriter, WriterParts } from './MessageWriter.ts';
import {
  type AppLayout,
  BUNDLES,
  encodeApp,
  encodeLink,
  encodePoll,
  type LinkPreview,
  URL_BALLOON,
} from './payloads.ts';
import { placeAttachment } from './placeAttachment.ts';
import { plainSegments } from './typedstreamEncoder.ts';

/** Text of a row that an app draws. */
const PLUGIN_CHARACTER = '\uFFFD';
/** Strokes and taps are protobufs, which nothing here draws: one field, an identifier. */
const DRAWING = Buffer.from([0x0a, 0x04, ...Buffer.from('0001')]);

/** A link, which Messages shows with a preview. */
export interface IncomingLink extends Omit<Incoming, 'text' | 'segments' | 'attachments'> {
  readonly preview: LinkPreview;
  /** What was typed, the link within it. @default the link alone */
  readonly text?: string;
  /**
   * One row that becomes a balloon by an UPDATE, or the text row and, behind it, a row for the preview.
   * @default one-row
   */
  readonly form?: 'one-row' | 'two-rows';
  /** ms until the balloon. @default the Mac's delay */
  readonly previewMs?: number;
  /** Pictures of the preview, as hidden .pluginPayloadAttachment files. @default 1 */
  readonly pictures?: number;
}

/** A message that an app draws. */
export interface IncomingBalloon extends Omit<Incoming, 'text' | 'segments'> {
  readonly kind: keyof typeof BUNDLES;
  /** Another app than the usual one. @default that of the kind */
  readonly bundleId?: string;
  /** What it reads; handwriting and Digital Touch have no words. */
  readonly layout?: AppLayout;
  /** For kind `poll`. */
  readonly poll?: { readonly question: string; readonly options: readonly string[] };
  /** payload_data as it is, in base64 (damaged ones), or null for none. @default the archive of the layout */
  readonly payload?: string | null;
}

/** Those who send links and what apps draw. */
export class Balloons {
  readonly #o: WriterParts;
  readonly #writer: MessageWriter;

  constructor(o: WriterParts & { writer: MessageWriter }) {
    this.#o = o;
    this.#writer = o.writer;
  }

  /** The guid of the text's row and, with two rows, of the preview's, which is not there yet. */
  link({ preview, form = 'one-row', previewMs, pictures = 1, text, ...incoming }: IncomingLink): {
    guid: string;
    preview?: string;
  } {
    const typed = text ?? preview.url;
    const guid = this.#writer.write({ ...incoming, segments: linkedSegments(typed, preview.url) });
    const after = previewMs ?? this.#o.delays.previewMs;
    const columns = { balloon_bundle_id: URL_BALLOON, payload_data: encodeLink(preview) };
    if (form === 'one-row') {
      this.#o.later.after(after, () => {
        this.#o.file.transaction(() => {
          this.#o.rows.set(guid, columns);
          this.#addPictures(guid, pictures);
        });
      });
      return { guid };
    }
    const previewGuid = randomUUID().toUpperCase();
    this.#o.later.after(after, () => {
      this.#writer.write({
        ...incoming,
        guid: previewGuid,
        segments: linkedSegments(preview.url, preview.url),
        columns: { ...incoming.columns, ...columns, reply_to_guid: guid },
      });
      this.#o.file.transaction(() => this.#addPictures(previewGuid, pictures));
    });
    return { guid, preview: previewGuid };
  }

  /** An app's message. Options of a poll get identifiers: 1, 2, … */
  app({ kind, bundleId, layout, poll, payload, ...incoming }: IncomingBalloon): string {
    const columns: Record<string, SqlValue> = {
      balloon_bundle_id: bundleId ?? BUNDLES[kind],
      payload_data: typeof payload === 'string' ? Buffer.from(payload, 'base64') : payload === null ? null : encode(),
    };
    const text = PLUGIN_CHARACTER;
    return this.#writer.write({ ...incoming, text, columns: { ...columns, ...incoming.columns } });

    function encode(): Buffer {
      if (kind === 'handwriting' || kind === 'digital_touch') return DRAWING;
      if (!poll) return encodeApp(layout ?? {});
      const orderedPollOptions = poll.options.map((option, index) => ({
        optionIdentifier: `${index + 1}`,
        text: option,
      }));
      return encodePoll({ title: poll.question, creatorHandle: incoming.from, orderedPollOptions });
    }
  }

  #addPictures(guid: string, count: number): void {
    for (let index = 0; index < count; index++) {
      const picture = { name: `${randomUUID().toUpperCase()}.pluginPayloadAttachment`, mimeType: null, isHidden: true };
      const o = { dateAt: this.#o.dates.now(), isOutgoing: false };
      const placed = placeAttachment(this.#o.attachmentsPath, attachmentGuid(guid, index), picture, o);
      placed.writeFile();
      this.#o.rows.attachment(placed.row);
      this.#o.rows.joinAttachment(guid, placed.row.guid);
    }
  }
}

/** The text in runs: what is before the link, the link, what is behind. */
function linkedSegments(text: string, url: string) {
  const start = text.indexOf(url);
  if (start < 0) return plainSegments(text);
  const end = start + url.length;
  return [
    { text: text.slice(0, start) },
    { text: url, link: url, attributes: { __kIMLinkIsRichLinkAttributeName: 1 } },
    { text: text.slice(end) },
  ].filter((segment) => segment.text !== '');
}
