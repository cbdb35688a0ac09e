import { MAX_BURST_DELAY_MS } from '../messaging/pauses.ts';
import type { MessageResponse } from '../protocol/wire.ts';
import type { BubbleType } from '../state/SendRow.ts';

/** Bubbles of one answer at most: each takes about a second to send, and nobody reads a hundred. */
export const MAX_BUBBLES = 100;
/** Delay before a burst when the answer names none, ms (protocol). */
export const DEFAULT_BURST_DELAY_MS = 2_000;

export interface AnswerBubble {
  readonly text: string;
  readonly bubbleType: BubbleType;
  /** Not before this long after the answer came, ms. */
  readonly delayMs: number;
}

export interface AnswerPlan {
  readonly bubbles: readonly AnswerBubble[];
  /** There is no reflex_message in it, only a burst. */
  readonly burstOnly: boolean;
  /** Bubbles without visible text, left out. */
  readonly blank: number;
  /** Bubbles past MAX_BUBBLES, left out. */
  readonly refused: number;
  /** Bubbles that are not sent because the answer does not say whether to: with `should_respond: false` it has said it. */
  readonly unsaid: number;
}

/** The bubbles of an answer in their order. A form without visible text counts as absent. */
export function planAnswer(response: MessageResponse): AnswerPlan {
  const forms = formsOf(response);
  const wanted = forms.find((form) => form.some((bubble) => !isBlank(bubble.text))) ?? forms.flat();
  const visible = wanted.filter((bubble) => !isBlank(bubble.text));
  if (!response.should_respond) {
    const unsaid = response.should_respond === undefined ? visible.length : 0;
    return { bubbles: [], burstOnly: false, blank: 0, refused: 0, unsaid };
  }
  const bubbles = visible.slice(0, MAX_BUBBLES);
  return {
    bubbles,
    burstOnly: bubbles[0]?.bubbleType === 'burst',
    blank: wanted.length - visible.length,
    refused: visible.length - bubbles.length,
    unsaid: 0,
  };
}

/** The forms of an answer, the one that goes first first. */
function formsOf(response: MessageResponse): AnswerBubble[][] {
  const at = (bubbleType: BubbleType, delayMs: number) => (text: string) => ({ text, bubbleType, delayMs });
  const delayMs = Math.min(response.burst_delay_ms ?? DEFAULT_BURST_DELAY_MS, MAX_BURST_DELAY_MS);
  const texts = (text: string | undefined) => (text === undefined ? [] : [text]);
  return [
    [
      ...texts(response.reflex_message).map(at('reflex', 0)),
      ...(response.burst_messages ?? []).map(at('burst', Math.round(delayMs))),
    ],
    (response.reply_bubbles ?? []).map(at('normal', 0)),
    texts(response.reply_text).map(at('normal', 0)),
  ];
}

/** AppleScript cannot be handed NUL, so a text of nothing else is as good as none. */
function isBlank(text: string): boolean {
  return text.replaceAll('\0', '').trim() === '';
}
