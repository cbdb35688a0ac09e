import type { Incoming, IncomingAttachment } from './Incoming.ts';
import { type BodySegment, encodeBody, plainSegments } from './typedstreamEncoder.ts';

/** The files that come with a message; a voice note is one. */
export function attachmentsOf({ attachments = [], audio }: Incoming): readonly IncomingAttachment[] {
  if (!audio) return attachments;
  const note = { name: 'Audio Message.caf', mimeType: 'audio/x-caf', uti: 'com.apple.coreaudio-format' };
  return [{ ...note, ...audio.file }, ...attachments];
}

export function attachmentGuid(message: string, index: number): string {
  return `at_${index}_${message}`;
}

export interface ContentColumns {
  readonly text: string | null;
  readonly attributedBody: Uint8Array | null;
  readonly part_count: number;
}

/** The columns that carry what was written; `cut` as long as not all of it is there, `heard` with its transcript. */
export function contentsOf(
  incoming: Incoming,
  guid: string,
  o: { fillsText: boolean; cut?: boolean; heard?: boolean },
): ContentColumns {
  const segments = segmentsOf(incoming, guid, o.heard ?? true);
  const shown = o.cut ? plainSegments(textOf(segments).slice(0, incoming.cutTo)) : segments;
  const body =
    typeof incoming.body === 'string'
      ? Buffer.from(incoming.body, 'base64')
      : encodeBody(shown, { mutable: incoming.fromMe ?? false });
  const textColumn = incoming.textColumn ?? o.fillsText;
  return {
    text: textColumn ? textOf(shown) : null,
    attributedBody: incoming.body === null ? null : body,
    part_count: partCount(shown),
  };
}

/** A message has one part at least, even where it has no text. */
export function partCount(segments: readonly BodySegment[]): number {
  return Math.max(1, new Set(segments.map(({ part }) => part ?? 0)).size);
}

export function textOf(segments: readonly BodySegment[]): string {
  return segments.map(({ text }) => text).join('');
}

function segmentsOf(incoming: Incoming, guid: string, heard: boolean): readonly BodySegment[] {
  if (incoming.segments) return incoming.segments;
  const guids = attachmentsOf(incoming).map((_, index) => attachmentGuid(guid, index));
  const segments = plainSegments(incoming.text ?? '', guids);
  const transcript = heard ? incoming.audio?.transcript : undefined;
  if (transcript === undefined) return segments;
  return segments.map((segment, index) =>
    index === 0 ? { ...segment, attributes: { IMAudioTranscription: transcript } } : segment,
  );
}
