import type { BodyRun, DecodedBody } from '../DecodedBody.ts';
import { MAX_COMPARED_LENGTH } from './limits.ts';

/** The attributes Messages gives a meaning to, as seen in bodies of macOS 12 to 26. */
const PART = '__kIMMessagePartAttributeName';
const ATTACHMENT = '__kIMFileTransferGUIDAttributeName';
const MENTION = '__kIMMentionConfirmedMention';
const LINK = '__kIMLinkAttributeName';

type Readings = Pick<DecodedBody, 'parts' | 'mentions' | 'links' | 'attachments'>;
interface Stretch {
  start: number;
  length: number;
}

/** What the attributes of the runs say. Neighbouring runs that say the same are one part, mention or link. */
export function readingsOf(text: string, runs: readonly BodyRun[]): Readings {
  const parts: (Stretch & { index: number })[] = [];
  const mentions: (Stretch & { handle: string })[] = [];
  const links: (Stretch & { url: string })[] = [];
  const attachments: { guid: string; start: number }[] = [];
  for (const { start, length, attributes } of runs) {
    const index = attributes.get(PART);
    if (typeof index === 'number') {
      const last = parts.at(-1);
      if (last?.index === index && touches(last, start)) last.length += length;
      else parts.push({ index, start, length });
    }
    const handle = attributes.get(MENTION);
    if (typeof handle === 'string') {
      const last = mentions.at(-1);
      if (last && touches(last, start) && isSame(last.handle, handle)) last.length += length;
      else mentions.push({ handle, start, length });
    }
    const url = attributes.get(LINK);
    if (typeof url === 'string') {
      const last = links.at(-1);
      if (last && touches(last, start) && isSame(last.url, url)) last.length += length;
      else links.push({ url, start, length });
    }
    const guid = attributes.get(ATTACHMENT);
    if (typeof guid === 'string') attachments.push({ guid, start });
  }
  return {
    parts,
    mentions: mentions.map(({ handle, start, length }) => ({ handle, text: text.slice(start, start + length), start })),
    links,
    attachments,
  };
}

function touches(last: Stretch, start: number): boolean {
  return last.start + last.length === start;
}

function isSame(a: string, b: string): boolean {
  return a.length <= MAX_COMPARED_LENGTH && a === b;
}
