import type { NewSend, SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import { splitText } from './splitText.ts';

/** Longest text that is split, UTF-16 code units: at 50 a bubble it is some 5000 of them, and hours of sending. */
export const MAX_TEXT_CHARS = 200_000;

/** One bubble of a text, with what is known of it from the start. */
export type Part = Pick<NewSend, 'text' | 'state' | 'waitsFor'>;

/**
 * Queues a text as one bubble or several, within the caller's transaction.
 * @returns the first bubble, which carries the key, the command and the reflex; the others are `part_of` it. A key that
 * is known queues nothing.
 */
export function queueText(store: StateStore, send: NewSend, maxBubbleChars: number): SendRow {
  const parts = partTexts(send.text, maxBubbleChars).map((text) => ({ text }));
  return queueParts(store, send, parts)[0]!;
}

/** The bubbles of a text. One that cannot be sent, blank or too long, stays whole: it is refused by name when its turn comes. */
export function partTexts(text: string, maxBubbleChars: number): string[] {
  if (text.length <= maxBubbleChars || text.length > MAX_TEXT_CHARS) return [text];
  const parts = splitText(text, maxBubbleChars);
  return parts.length > 0 ? parts : [text];
}

/**
 * Queues bubbles that are one whole, as `queueText` does. They have one position, keys `<key>`, `<key>#1`, `<key>#2` …
 * and indexes that follow each other from `send.bubbleIndex` on.
 */
export function queueParts(
  store: StateStore,
  send: Omit<NewSend, keyof Part> & Partial<Part>,
  parts: readonly Part[],
): SendRow[] {
  const { sends } = store;
  const known = sends.byKey(send.key);
  if (known && known.partOf === null) return [known, ...sends.partsOf(known.sendId)];
  if (known) throw taken(send.key);
  const [first, ...others] = parts;
  const root = sends.insert({ ...send, text: '', ...first });
  const { threadId, groupKey, position, bubbleType, immediate, now, answersId, notBeforeAt, scheduleId } = {
    ...send,
    ...root,
  };
  const shared = {
    threadId,
    groupKey,
    position,
    bubbleType,
    immediate: immediate === 1,
    now,
    partOf: root.sendId,
    ...(answersId === null ? {} : { answersId }),
    ...(notBeforeAt === null ? {} : { notBeforeAt }),
    ...(scheduleId === null ? {} : { scheduleId }),
  };
  const rest = others.map((part, n) => {
    const key = `${send.key}#${n + 1}`;
    const row = sends.insert({ ...shared, ...part, key, bubbleIndex: root.bubbleIndex + n + 1 });
    if (row.partOf !== root.sendId) throw taken(key);
    return row;
  });
  return [root, ...rest];
}

/** Only a backend that gives a command the id of a part of another one gets here; neither may stand in for the other. */
function taken(key: string): Error {
  return new Error(`another bubble has the key ${key}`);
}
