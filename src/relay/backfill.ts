/**
 * Whether a message is old news: written longer ago than an answer makes sense. iCloud brings old messages under new
 * ROWIDs and guids, and a Mac that was off brings all of the meantime at once; answering either would startle people.
 * A date that is missing or in the future says nothing, and the message counts as live.
 */
export function isBackfill(message: { dateAt: number | undefined; now: number; answerMaxAgeSeconds: number }): boolean {
  const { dateAt, now, answerMaxAgeSeconds } = message;
  return dateAt !== undefined && now - dateAt > answerMaxAgeSeconds * 1_000;
}
