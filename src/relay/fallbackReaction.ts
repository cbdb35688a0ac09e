import type { ChatRow } from '../chatdb/types.ts';
import { sameText } from '../messaging/reflex.ts';
import { writtenText } from './messageText.ts';
import type { Reaction } from './rowEvents.ts';

/** Messages looked through for the one that is quoted: people react to what is on the screen. */
const RECENT_MESSAGES = 50;
/** Characters of the longest fallback text that is looked at; an SMS has at most some thousand. */
const MAX_LENGTH = 20_000;
/** A quotation that is cut off names a message only when so much of it is left, characters. */
const MIN_CUT_OFF = 10;

const VERBS: ReadonlyMap<string, Reaction['reaction']> = new Map([
  ['Loved', 'love'],
  ['Liked', 'like'],
  ['Disliked', 'dislike'],
  ['Laughed at', 'laugh'],
  ['Emphasized', 'emphasize'],
  ['Emphasised', 'emphasize'],
  ['Questioned', 'question'],
  ['Reacted with a sticker to', 'sticker'],
]);
const NAMES: ReadonlyMap<string, Reaction['reaction']> = new Map([
  ['heart', 'love'],
  ['like', 'like'],
  ['dislike', 'dislike'],
  ['laugh', 'laugh'],
  ['exclamation', 'emphasize'],
  ['exclamation mark', 'emphasize'],
  ['question mark', 'question'],
  ['sticker', 'sticker'],
]);
/** The quotation is the longest there is, because the message may have quotation marks of its own. */
const QUOTING = /^([^“"\n]{1,60}?) [“"]([\s\S]*)[”"]\s*$/;
const REMOVED = /^Removed (?:an? )?(.+?)(?: reaction)? from$/;
const REACTED = /^Reacted (\S+) to$/;
const EMOJI = /^(?=.*(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3))[^\p{L}]+$/u;

/** A message of the same chat, as far as a quotation needs it. */
export interface RecentMessage {
  readonly guid: string;
  readonly text: string;
}

/**
 * The reaction a text stands for: Messages writes `Loved “…”` to phones that know no reactions, in the language of the
 * one who reacts (English here). It counts only when it quotes a recent message of the thread; a person may write so.
 */
export function fallbackReaction(
  row: ChatRow,
  recentOf: (row: ChatRow, limit: number) => readonly RecentMessage[],
): Reaction | undefined {
  if (row.subject !== undefined || row.balloon || row.attachments.length > 0) return undefined;
  const said = readFallback(row.text);
  if (!said) return undefined;
  const target = recentOf(row, RECENT_MESSAGES).find(({ text }) => isQuoted(said.quoted, text));
  if (!target) return undefined;
  const { reaction, emoji, isRemoved } = said;
  return { reaction, emoji, isRemoved, targetGuid: target.guid, part: undefined };
}

/** The emoji that the words beside a tapback name: where chat.db has no column for it (before macOS 15). */
export function emojiOfFallback(text: string): string | undefined {
  return readFallback(text)?.emoji;
}

function readFallback(text: string) {
  if (!/^[LDEQR]/.test(text) || text.length > MAX_LENGTH) return undefined;
  const [, phrase = '', quoted = ''] = QUOTING.exec(text) ?? [];
  const meaning = meaningOf(phrase);
  return meaning && quoted !== '' ? { ...meaning, quoted } : undefined;
}

function meaningOf(phrase: string): Pick<Reaction, 'reaction' | 'emoji' | 'isRemoved'> | undefined {
  const added = VERBS.get(phrase);
  if (added) return { reaction: added, emoji: undefined, isRemoved: false };
  const removed = REMOVED.exec(phrase)?.[1];
  const reaction = NAMES.get(removed ?? '');
  if (reaction) return { reaction, emoji: undefined, isRemoved: true };
  const emoji = removed ?? REACTED.exec(phrase)?.[1];
  if (emoji === undefined || !EMOJI.test(emoji)) return undefined;
  return { reaction: 'emoji', emoji, isRemoved: removed !== undefined };
}

function isQuoted(quoted: string, message: string): boolean {
  const text = writtenText({ text: message.slice(0, 2 * MAX_LENGTH), balloon: undefined }).trim();
  if (text === '') return false;
  if (sameText(quoted, text)) return true;
  const [, start] = /^([\s\S]*\S)\s*(?:…|\.\.\.)\s*$/.exec(quoted) ?? [];
  return start !== undefined && start.length >= MIN_CUT_OFF && sameText(text.slice(0, start.length), start);
}
