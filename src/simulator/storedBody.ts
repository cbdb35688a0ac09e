import { decodeBody } from '../chatdb/typedstream/decodeBody.ts';
import type { ChatDbFile } from './ChatDbFile.ts';
import { type AttributeValue, type BodySegment, plainSegments } from './typedstreamEncoder.ts';

const PART = '__kIMMessagePartAttributeName';
const MENTION = '__kIMMentionConfirmedMention';
const LINK = '__kIMLinkAttributeName';
const FILE = '__kIMFileTransferGUIDAttributeName';

/** What a message reads now, part by part; undefined where there is no such message. Attributes are kept where plain. */
export function storedSegments(file: ChatDbFile, guid: string): readonly BodySegment[] | undefined {
  const columnOr = (name: string) => (file.columns('message').has(name) ? name : `NULL AS ${name}`);
  const row = file.get<{ text: string | null; attributedBody: Uint8Array | null }>(
    `SELECT ${columnOr('text')}, ${columnOr('attributedBody')} FROM message WHERE guid = ?`,
    guid,
  );
  if (!row) return undefined;
  if (!row.attributedBody) return plainSegments(row.text ?? '');
  const { text, runs } = decodeBody(row.attributedBody);
  return runs.map(({ start, length, attributes }) => {
    const string = (name: string) => {
      const value = attributes.get(name);
      return typeof value === 'string' ? value : undefined;
    };
    const [mention, link, attachment] = [string(MENTION), string(LINK), string(FILE)];
    const rest = [...plain(attributes)].filter(([name]) => ![PART, MENTION, LINK, FILE].includes(name));
    return {
      text: text.slice(start, start + length),
      part: Number(attributes.get(PART) ?? 0),
      ...(mention !== undefined && { mention }),
      ...(link !== undefined && { link }),
      ...(attachment !== undefined && { attachment }),
      ...(rest.length > 0 && { attributes: Object.fromEntries(rest) }),
    };
  });
}

function* plain(all: ReadonlyMap<string, unknown>): Iterable<[string, AttributeValue]> {
  for (const [name, value] of all) {
    if (typeof value === 'string' || typeof value === 'number') yield [name, value];
  }
}
