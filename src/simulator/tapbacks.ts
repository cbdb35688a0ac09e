/** The tapbacks, with the words a service without tapbacks shows (in English). */
export const TAPBACKS = {
  love: { type: 2000, words: 'Loved', removal: 'Removed a heart from' },
  like: { type: 2001, words: 'Liked', removal: 'Removed a like from' },
  dislike: { type: 2002, words: 'Disliked', removal: 'Removed a dislike from' },
  laugh: { type: 2003, words: 'Laughed at', removal: 'Removed a laugh from' },
  emphasize: { type: 2004, words: 'Emphasized', removal: 'Removed an exclamation from' },
  question: { type: 2005, words: 'Questioned', removal: 'Removed a question mark from' },
  emoji: { type: 2006, words: 'Reacted', removal: 'Removed' },
  sticker: { type: 2007, words: 'Reacted with a sticker to', removal: 'Removed a sticker from' },
} as const;

export type Tapback = keyof typeof TAPBACKS;

/** associated_message_type of a tapback that is taken back, less that of the tapback. */
export const REMOVED = 1000;

/** `Loved “hello”`, `Reacted 😂 to “hello”`, `Removed a heart from “hello”`. */
export function fallbackText(kind: Tapback, quoted: string, o: { emoji?: string; removed?: boolean }): string {
  const { words, removal } = TAPBACKS[kind];
  const start =
    kind === 'emoji' ? `${o.removed ? removal : words} ${o.emoji ?? ''} ${o.removed ? 'from' : 'to'}` : null;
  return `${start ?? (o.removed ? removal : words)} “${quoted}”`;
}
