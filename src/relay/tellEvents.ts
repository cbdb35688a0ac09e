import type { EdgeEvent } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** An event of a thread about the message `guid`. */
export interface ToTell {
  readonly event: EdgeEvent & { thread_id: string };
  readonly guid: string;
  /** Set for an inbound message, of which the backend hears first. */
  readonly aboutGuid: string | undefined;
}

/**
 * Writes events in one transaction, those that are known left out, and with each what `onTold` writes.
 * @returns the guids of which there is news
 */
export function tellEvents(
  store: StateStore,
  telemetry: Telemetry,
  telling: readonly ToTell[],
  now: number,
  onTold: (guid: string) => void = () => {},
): ReadonlySet<string> {
  if (telling.length === 0) return new Set();
  const told = store.transaction(() => {
    const news = telling.filter(({ event, aboutGuid }) => store.events.insert(event, now, aboutGuid));
    for (const { guid } of news) onTold(guid);
    return news;
  });
  for (const { event, guid } of told) {
    telemetry.eventNoted({ eventType: event.event_type, threadId: event.thread_id, detail: `message ${guid}` });
  }
  return new Set(told.map(({ guid }) => guid));
}
