import { type ArchivedClass, TypedstreamWriter } from './TypedstreamWriter.ts';

/** A value of an attribute: a string, a whole number (i), a fraction (d), bytes (NSData), an NSURL or a dictionary. */
export type AttributeValue =
  | string
  | number
  | Uint8Array
  | { readonly url: string }
  | { readonly [key: string]: AttributeValue };

/** A stretch of a body with its attributes. */
export interface BodySegment {
  readonly text: string;
  /** The message part the stretch belongs to; a change is a new balloon. @default 0 */
  readonly part?: number;
  /** The handle of the person named by this stretch. */
  readonly mention?: string;
  /** Where a tap on this stretch leads. */
  readonly link?: string;
  /** attachment.guid; `text` is then U+FFFC. */
  readonly attachment?: string;
  /** Anything else, by its name in the archive. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** What stands in the text where an attachment is. */
const ATTACHMENT_CHARACTER = '\uFFFC';

const NS_OBJECT: ArchivedClass = { name: 'NSObject', version: 0, superclass: undefined };
const inherits = (name: string, version: number, superclass = NS_OBJECT): ArchivedClass => ({
  name,
  version,
  superclass,
});
const NS_ATTRIBUTED_STRING = inherits('NSAttributedString', 0);
const NS_MUTABLE_ATTRIBUTED_STRING = inherits('NSMutableAttributedString', 0, NS_ATTRIBUTED_STRING);
const NS_STRING = inherits('NSString', 1);
const NS_MUTABLE_STRING = inherits('NSMutableString', 1, NS_STRING);
const NS_DICTIONARY = inherits('NSDictionary', 0);
const NS_NUMBER = inherits('NSNumber', 0, inherits('NSValue', 0));
const NS_DATA = inherits('NSData', 0);
const NS_URL = inherits('NSURL', 0);

/**
 * The attributedBody Messages writes for these stretches. Bodies composed on this Mac are mutable
 * (NSMutableAttributedString over NSMutableString), others mostly not.
 */
export function encodeBody(segments: readonly BodySegment[], options: { mutable?: boolean } = {}): Buffer {
  const writer = new TypedstreamWriter();
  const mutable = options.mutable ?? false;
  writer.header();
  writer.group('@');
  writer.object(segments, mutable ? NS_MUTABLE_ATTRIBUTED_STRING : NS_ATTRIBUTED_STRING, () => {
    writer.group('@');
    const text = segments.map((segment) => segment.text).join('');
    writeString(writer, Symbol('text'), text, mutable ? NS_MUTABLE_STRING : NS_STRING);
    const runNumbers = new Map<string, number>();
    for (const segment of segments) {
      // An empty string has no runs at all.
      if (segment.text !== '') writeRun(writer, segment, runNumbers);
    }
  });
  return writer.end();
}

/** One part of plain text with the files first, each a part of its own, as Messages composes a photo with a caption. */
export function plainSegments(text: string, attachments: readonly string[] = []): BodySegment[] {
  const files = attachments.map((guid, part) => ({ text: ATTACHMENT_CHARACTER, part, attachment: guid }));
  return text === '' ? files : [...files, { text, part: files.length }];
}

/** A run: its number, its length in UTF-16 units, and the dictionary when no run before had the same. */
function writeRun(writer: TypedstreamWriter, segment: BodySegment, runNumbers: Map<string, number>): void {
  const attributes = attributesOf(segment);
  const identity = JSON.stringify(attributes);
  const known = runNumbers.get(identity);
  const number = known ?? runNumbers.size + 1;
  writer.group('iI');
  writer.integer(number);
  writer.length(segment.text.length);
  if (known !== undefined) return;
  runNumbers.set(identity, number);
  writer.group('@');
  writeDictionary(writer, attributes);
}

function attributesOf(segment: BodySegment): Record<string, AttributeValue> {
  return {
    __kIMMessagePartAttributeName: segment.part ?? 0,
    ...(segment.mention !== undefined && { __kIMMentionConfirmedMention: segment.mention }),
    ...(segment.link !== undefined && { __kIMLinkAttributeName: { url: segment.link } }),
    ...(segment.attachment !== undefined && { __kIMFileTransferGUIDAttributeName: segment.attachment }),
    ...segment.attributes,
  };
}

function writeDictionary(writer: TypedstreamWriter, values: Readonly<Record<string, AttributeValue>>): void {
  const entries = Object.entries(values);
  writer.object(Symbol('dictionary'), NS_DICTIONARY, () => {
    writer.group('i');
    writer.integer(entries.length);
    for (const [name, value] of entries) {
      writer.group('@');
      // Attribute names are constants of Messages: one object however many runs use it.
      writeString(writer, `name:${name}`, name, NS_STRING);
      writer.group('@');
      writeValue(writer, value);
    }
  });
}

function writeValue(writer: TypedstreamWriter, value: AttributeValue): void {
  if (typeof value === 'string') writeString(writer, Symbol('string'), value, NS_STRING);
  else if (typeof value === 'number') writeNumber(writer, value);
  else if (value instanceof Uint8Array) writeData(writer, value);
  else if (isUrl(value)) writeUrl(writer, value.url);
  else writeDictionary(writer, value);
}

function isUrl(value: { readonly [key: string]: AttributeValue }): value is { readonly url: string } {
  return typeof value.url === 'string' && Object.keys(value).length === 1;
}

function writeString(writer: TypedstreamWriter, key: unknown, value: string, itsClass: ArchivedClass): void {
  writer.object(key, itsClass, () => {
    writer.group('+');
    writer.counted(Buffer.from(value));
  });
}

/** Small NSNumbers are tagged pointers: equal ones are one object, so the second is a reference. */
function writeNumber(writer: TypedstreamWriter, value: number): void {
  const encoding = Number.isInteger(value) ? 'i' : 'd';
  writer.object(`number:${encoding}:${value}`, NS_NUMBER, () => {
    writer.group('*');
    writer.cString(encoding);
    writer.group(encoding);
    if (encoding === 'i') writer.integer(value);
    else writer.double(value);
  });
}

function writeData(writer: TypedstreamWriter, value: Uint8Array): void {
  writer.object(Symbol('data'), NS_DATA, () => {
    writer.group('i');
    writer.integer(value.length);
    writer.group(`[${value.length}c]`);
    writer.raw(value);
  });
}

/** A leading 0 says that the address is absolute. */
function writeUrl(writer: TypedstreamWriter, value: string): void {
  writer.object(Symbol('url'), NS_URL, () => {
    writer.group('c');
    writer.raw(Uint8Array.of(0));
    writer.group('@');
    writeString(writer, Symbol('string'), value, NS_STRING);
  });
}
