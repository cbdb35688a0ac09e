import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import type { BodyRun, DecodedBody } from '../DecodedBody.ts';
import { MAX_BODY_BYTES, RUN_WORK } from './limits.ts';
import { type Meaning, meaningOf } from './meaning.ts';
import { ObjectReader } from './ObjectReader.ts';
import { Readings } from './Readings.ts';
import { StreamDamage } from './StreamDamage.ts';
import { StreamReader } from './StreamReader.ts';
import { WorkBudget } from './WorkBudget.ts';

const NO_ATTRIBUTES: ReadonlyMap<string, unknown> = new Map();

/** A stream whose text has been read; what follows are the runs. */
interface OpenBody {
  readonly stream: StreamReader;
  readonly objects: ObjectReader;
  readonly text: string;
  readonly hasRuns: boolean;
  /** False where bytes of the text are no UTF-8: the length may be wrong then. */
  readonly isTextSound: boolean;
}

/**
 * Reads an attributedBody: a typedstream NSAttributedString, or plain UTF-16LE with its byte order mark, which some
 * databases hold instead. Takes time linear in the size and never more than some ms. Where the stream is damaged behind
 * a sound text, gives the text with the runs before the damage, and says so in `damage`.
 * @throws EdgeError EDGE_BODY_UNDECODABLE, nothing else
 */
export function decodeBody(bytes: Uint8Array): DecodedBody {
  return decodeWithin(bytes, new WorkBudget());
}

function decodeWithin(bytes: Uint8Array, budget: WorkBudget): DecodedBody {
  try {
    const utf16 = utf16Text(bytes);
    if (utf16 !== undefined) return new Readings({ text: utf16 }).body([]);
    const body = openBody(bytes, budget);
    const readings = new Readings({ text: body.text });
    const runs: BodyRun[] = [];
    const damage = body.hasRuns ? readRuns(body, runs, readings) : undefined;
    if (!body.isTextSound && (damage || runs.length === 0)) {
      throw damage ?? new StreamDamage('the text is no UTF-8 and has no runs');
    }
    const decoded = readings.body(runs);
    return damage ? { ...decoded, damage: damage.message } : decoded;
  } catch (error) {
    throw undecodable(error);
  }
}

/**
 * The text of decodeBody alone, without reading on where that cannot change it. Several may share a budget.
 * @throws EdgeError EDGE_BODY_UNDECODABLE, nothing else
 */
export function decodeText(bytes: Uint8Array, budget = new WorkBudget()): string {
  try {
    const utf16 = utf16Text(bytes);
    if (utf16 !== undefined) return utf16;
    const body = openBody(bytes, budget);
    if (body.isTextSound) return body.text;
  } catch (error) {
    throw undecodable(error);
  }
  return decodeWithin(bytes, budget).text;
}

function openBody(bytes: Uint8Array, budget: WorkBudget): OpenBody {
  if (bytes.length > MAX_BODY_BYTES) throw new StreamDamage(`${bytes.length} bytes`);
  const stream = new StreamReader({ bytes, budget });
  stream.header();
  const objects = new ObjectReader({ stream });
  const kind = objects.openRoot();
  if (kind !== 'attributedString' && kind !== 'string') throw new StreamDamage('the root object is no text');
  const hasRuns = kind === 'attributedString';
  if (hasRuns) objects.expectGroup('@');
  const text = hasRuns ? objects.object() : objects.string();
  if (typeof text !== 'string') throw new StreamDamage('the attributed string has no string');
  return { stream, objects, text, hasRuns, isTextSound: !stream.hasBadUtf8 };
}

/** Reads runs until the string ends or is found damaged; `runs` and `readings` have those before the damage. */
function readRuns({ stream, objects, text }: OpenBody, runs: BodyRun[], readings: Readings): StreamDamage | undefined {
  const dictionaries: { attributes: ReadonlyMap<string, unknown>; meaning: Meaning }[] = [];
  let start = 0;
  try {
    while (!stream.atEnd()) {
      stream.budget.charge(RUN_WORK);
      objects.expectGroup('iI');
      const number = stream.signed();
      const length = stream.unsigned();
      if (number === dictionaries.length + 1) {
        objects.expectGroup('@');
        const object = objects.object();
        const attributes: ReadonlyMap<string, unknown> = object instanceof Map ? object : NO_ATTRIBUTES;
        dictionaries.push({ attributes, meaning: meaningOf(attributes) });
      }
      const dictionary = dictionaries[number - 1];
      if (!dictionary) throw new StreamDamage('a run with attributes that are not there');
      if (start + length > text.length) throw new StreamDamage('runs past the end of the text');
      const { attributes, meaning } = dictionary;
      stream.budget.charge(meaning.others);
      runs.push({ start, length, attributes });
      readings.add(start, length, meaning);
      start += length;
    }
  } catch (error) {
    if (error instanceof StreamDamage) return error;
    throw error;
  }
  return undefined;
}

/** Undefined unless the body begins with the byte order mark FF FE. */
function utf16Text(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xfe || bytes.length > MAX_BODY_BYTES) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le', 2);
}

function undecodable(error: unknown): EdgeError {
  return new EdgeError('EDGE_BODY_UNDECODABLE', messageOf(error), { cause: error });
}
