import type { ScheduleRow } from '../../state/Schedules.ts';
import type { StateStore } from '../../state/StateStore.ts';
import type { TrafficCounts } from '../../state/Traffic.ts';
import type { Clock } from '../../util/Clock.ts';
import { maskHandle, maskInId } from '../mask.ts';
import type { AgentStatus } from '../status.ts';

/** Width of a bar, ms. */
const BUCKET_MS = 10 * 60_000;
/** Schedules shown, the next ones; the count tells how many there are. */
const MAX_SCHEDULES = 20;
/** The latest messages are counted anew at most so often, ms. */
const TRAFFIC_MS = 5_000;
/**
 * What is older than this changes no more, or hardly, and is not counted again, ms: a day of 100,000 messages takes a
 * tenth of a second.
 */
const SETTLED_MS = 3_600_000;
/** The end of time of a Date, ms since 1970. */
const END_OF_TIME = 8_640_000_000_000_000;

/** What GET /api/state answers. Times are ISO 8601. */
export interface PageState {
  readonly now: string;
  /** IANA name of the Mac's time zone, in which the page shows times. */
  readonly time_zone: string;
  readonly status: AgentStatus;
  readonly traffic: PageTraffic;
  readonly schedules: readonly PageSchedule[];
  /** What can be done about a dead letter. */
  readonly can: readonly string[];
}

/** The day of the Mac, from midnight to midnight. */
interface PageTraffic extends TrafficCounts {
  readonly from: string;
  readonly bucket_seconds: number;
}

interface PageSchedule {
  readonly schedule_id: string;
  /** As the page shows it: a backend may make its ids of handles. */
  readonly name: string;
  /** The last four characters. */
  readonly thread: string;
  readonly send_at: string;
  readonly recurrence: string | null;
}

/** What the status page shows, each time it is asked for. */
export class PageView {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #status: () => AgentStatus;
  readonly #can: readonly string[];
  #traffic: PageTraffic | undefined;
  /** When it was counted: on the wall, and on the monotonic clock, ms. */
  #counted = { at: 0, monotonic: Number.NEGATIVE_INFINITY };

  constructor(options: { store: StateStore; clock: Clock; status: () => AgentStatus; can: readonly string[] }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#status = options.status;
    this.#can = options.can;
  }

  state(): PageState {
    return {
      now: new Date(this.#clock.now()).toISOString(),
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      status: this.#status(),
      traffic: this.#trafficNow(),
      schedules: this.#store.schedules.due(END_OF_TIME, MAX_SCHEDULES).map(pageSchedule),
      can: this.#can,
    };
  }

  #trafficNow(): PageTraffic {
    const [now, monotonic] = [this.#clock.now(), this.#clock.monotonic()];
    const day = dayOf(now);
    const from = new Date(day.from).toISOString();
    const known = this.#traffic?.from === from ? this.#traffic : undefined;
    if (known && monotonic - this.#counted.monotonic < TRAFFIC_MS) return known;
    const settledUntil = Math.min(this.#counted.at, now) - SETTLED_MS;
    const kept = known ? Math.max(0, Math.floor((settledUntil - day.from) / BUCKET_MS)) : 0;
    const rest = this.#store.traffic.counts({ from: day.from + kept * BUCKET_MS, to: day.to, bucketMs: BUCKET_MS });
    this.#traffic = {
      from,
      bucket_seconds: BUCKET_MS / 1000,
      in: [...(known?.in.slice(0, kept) ?? []), ...rest.in],
      out: [...(known?.out.slice(0, kept) ?? []), ...rest.out],
    };
    this.#counted = { at: now, monotonic };
    return this.#traffic;
  }
}

/** The local day of a time: 23 or 25 hours where the clocks change. */
function dayOf(now: number): { from: number; to: number } {
  const day = new Date(now);
  const midnight = (days: number) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + days).getTime();
  return { from: midnight(0), to: midnight(1) };
}

function pageSchedule({ scheduleId, threadId, sendAt, rrule, timeZone }: ScheduleRow): PageSchedule {
  return {
    schedule_id: scheduleId,
    name: maskInId(scheduleId),
    thread: maskHandle(threadId),
    send_at: new Date(sendAt).toISOString(),
    recurrence: rrule === null ? null : `${rrule} in ${timeZone}`,
  };
}
