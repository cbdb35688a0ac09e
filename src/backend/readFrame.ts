import type { RawData } from 'ws';
import { frameSchema } from '../protocol/wire.ts';

export type FrameReading = { type: string; data: unknown; bytes: number } | { refused: string };

/** A frame as `{ type, data, bytes }`, the last its length, or why it is none. The reason holds nothing of the content, which may be a message. */
export function readFrame(raw: RawData, isBinary: boolean): FrameReading {
  const bytes = Buffer.isBuffer(raw) ? raw : Array.isArray(raw) ? Buffer.concat(raw) : Buffer.from(raw);
  const size = `${bytes.length} bytes`;
  if (isBinary) return { refused: `a binary frame (${size})` };
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    return { refused: `not JSON (${size})` };
  }
  const frame = frameSchema.safeParse(json);
  if (frame.success) return { type: frame.data.type, data: frame.data.data, bytes: bytes.length };
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { refused: `not an object (${size})` };
  return { refused: `type is not a string (${size})` };
}
