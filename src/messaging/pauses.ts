import type { MessagingSettings } from './MessagingSettings.ts';

/** Between two bubbles of a person who goes on writing: they seldom come within one blink. */
const NATURAL_FIRST_MS = 400;
/**
 * A character, ms. Nobody types 33 a second, but who waits for an answer should not wait for typing either: a sentence
 * of 80 characters comes after 2.8 s, which is about the time it takes to read the one before.
 */
const NATURAL_CHAR_MS = 30;
/** Longer than this an answer seems to be over, ms. */
const NATURAL_MAX_MS = 6000;

/**
 * Longest delay before a burst, ms: a longer one would hold up its thread; schedule_message is made for that. Nothing else
 * sets a bubble's time further off.
 */
export const MAX_BURST_DELAY_MS = 600_000;

/** How long after the beginning of the bubble before one of `chars` characters goes out, ms. A file has none. */
export function pauseMs(pause: MessagingSettings['bubblePause'], chars: number): number {
  if (pause === 'none') return 0;
  if (pause === 'natural') return Math.min(NATURAL_MAX_MS, NATURAL_FIRST_MS + NATURAL_CHAR_MS * chars);
  return pause;
}
