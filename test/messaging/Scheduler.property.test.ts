import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Scheduler } from '../../src/messaging/Scheduler.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { partialTelemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { ANNA } from './senderRig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MAX_LATE = HOUR;
const TIMEOUT_MS = 60_000;

type Step =
  | { do: 'once'; inMs: number }
  | { do: 'daily'; inMs: number; count: number }
  | { do: 'cancel'; which: number }
  | { do: 'pass'; ms: number }
  /** The wall clock alone: set by hand or NTP, or a sleep. */
  | { do: 'step'; ms: number }
  | { do: 'crash'; downMs: number }
  | { do: 'sending'; possible: boolean };

const span = (min: number, max: number) => fc.integer({ min: min / 1000, max: max / 1000 }).map((s) => s * 1000);
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('once' as const), inMs: span(-DAY, 3 * DAY) }),
    fc.record({ do: fc.constant('daily' as const), inMs: span(-MINUTE, DAY), count: fc.integer({ min: 2, max: 6 }) }),
    fc.record({ do: fc.constant('cancel' as const), which: fc.nat(9) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.oneof(span(0, 5 * MINUTE), span(0, 6 * HOUR)) }),
    fc.record({ do: fc.constant('step' as const), ms: fc.oneof(span(-2 * HOUR, 2 * HOUR), span(-DAY, 400 * DAY)) }),
    fc.record({ do: fc.constant('crash' as const), downMs: fc.oneof(span(0, HOUR), span(0, 4 * DAY)) }),
    fc.record({ do: fc.constant('sending' as const), possible: fc.boolean() }),
  ),
  { minLength: 1, maxLength: 25 },
) as fc.Arbitrary<Step[]>;

/** The model: every time that is to come of a schedule, and what it was told of it. */
interface Schedule {
  readonly id: string;
  readonly times: readonly number[];
  readonly createdAt: number;
  isCancelled: boolean;
}

it(
  'each time that is due is sent once or told as expired, neither before it nor too late',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const clock = new FakeClock();
        const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
        const schedules: Schedule[] = [];
        const expired = new Map<string, number>();
        let possible = true;
        let seen = 0;
        const telemetry = partialTelemetry({
          scheduleExpired({ scheduleId, occurrences, lateMs }) {
            const { times, createdAt } = schedules.find(({ id }) => id === scheduleId)!;
            const lastMissed = clock.now() - lateMs + (occurrences - 1) * DAY;
            expect(times).toContain(lastMissed);
            const isOnce = times.length === 1;
            expect(clock.now() - (isOnce ? Math.max(lastMissed, createdAt) : lastMissed)).toBeGreaterThan(MAX_LATE);
            expired.set(scheduleId, (expired.get(scheduleId) ?? 0) + occurrences);
          },
          scheduleFired({ lateMs }) {
            expect(lateMs).toBeGreaterThanOrEqual(0);
            expect(lateMs).toBeLessThanOrEqual(MAX_LATE);
            expect(possible).toBe(true);
          },
        });
        const boot = () => {
          const nothing = { onDue: () => {}, onSettled: () => {} };
          const options = { store, clock, telemetry, maxLateSeconds: MAX_LATE / 1000, ...nothing };
          const started = new Scheduler({ ...options, canSend: () => possible });
          started.start();
          return started;
        };
        let scheduler = boot();
        const add = (times: readonly number[], rrule?: string) => {
          const id = `s${schedules.length}`;
          const now = clock.now();
          const command = { commandId: id, commandType: 'schedule_message', payload: {}, channel: 'sync' as const };
          store.commands.insert({ ...command, issuedAt: now, now });
          const firstAt = times[0]!;
          const recurrence = rrule && { rrule, timeZone: 'UTC', firstAt, occurrences: 0 };
          const schedule = { scheduleId: id, threadId: ANNA, text: id, sendAt: firstAt, now };
          store.schedules.insert({ ...schedule, ...(recurrence ? { recurrence } : {}) });
          schedules.push({ id, times, createdAt: now, isCancelled: false });
          scheduler.wake();
        };
        const act = async (step: Step) => {
          if (step.do === 'once') add([clock.now() + step.inMs]);
          if (step.do === 'daily') {
            const firstAt = clock.now() + step.inMs;
            const times = Array.from({ length: step.count }, (_, n) => firstAt + n * DAY);
            add(times, `FREQ=DAILY;COUNT=${step.count}`);
          }
          if (step.do === 'cancel') {
            const schedule = schedules[step.which];
            if (schedule && scheduler.cancel(schedule.id) === 'pending') schedule.isCancelled = true;
          }
          if (step.do === 'pass') await clock.advance(step.ms);
          if (step.do === 'step') clock.jumpWall(step.ms);
          if (step.do === 'crash') {
            scheduler.stop();
            clock.jumpWall(step.downMs);
            scheduler = boot();
          }
          if (step.do === 'sending') {
            possible = step.possible;
            scheduler.wake();
          }
        };
        /** Nothing was sent before its time by the clock that it was sent by. */
        const checkNewSends = () => {
          const sends = store.sends.openOf(ANNA);
          for (const send of sends.slice(seen)) {
            const at = send.key.startsWith('schedule:') ? Number(send.key.split(':')[2]) : 0;
            expect(at).toBeLessThanOrEqual(send.createdAt);
          }
          seen = sends.length;
        };
        try {
          for (const step of plan) {
            await act(step);
            checkNewSends();
          }
          possible = true;
          for (const schedule of schedules) {
            // A clock that was set back has to come to the time again; to 12 days after all, by small steps.
            while (clock.now() < schedule.times.at(-1)! + 2 * MINUTE) {
              clock.jumpWall(Math.min(DAY, schedule.times.at(-1)! + 2 * MINUTE - clock.now()));
              await clock.advance(2 * MINUTE);
            }
          }
          // A step of more than a month is believed after ten minutes, and seen within one.
          await clock.advance(12 * MINUTE);
          scheduler.stop();
          const keys = store.sends.openOf(ANNA).map((send) => send.key);
          expect(new Set(keys).size).toBe(keys.length);
          for (const { id, times, isCancelled } of schedules) {
            const own = keys.filter((key) => key === `command:${id}` || key.startsWith(`schedule:${id}:`));
            const possibleKeys = [`command:${id}`, ...times.map((time) => `schedule:${id}:${time}`)];
            expect(possibleKeys).toEqual(expect.arrayContaining(own));
            const toldOf = own.length + (expired.get(id) ?? 0);
            if (isCancelled) expect(toldOf).toBeLessThan(times.length);
            else expect([id, toldOf]).toEqual([id, times.length]);
            const command = store.commands.byId(id)!;
            const isSent = command.sendId !== null;
            expect([isSent, command.state]).toEqual(isSent && !isCancelled ? [true, 'received'] : [false, 'failed']);
          }
        } finally {
          scheduler.stop();
          store.close();
        }
      }),
      { numRuns: 150 },
    );
  },
  TIMEOUT_MS,
);
