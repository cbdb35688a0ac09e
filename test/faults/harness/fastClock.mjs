/**
 * Another clock for a program under test, loaded before it: `node --import 'file:///…/fastClock.mjs?control=FILE' …`.
 * Date, performance.now, setTimeout and setInterval (global, node:timers, node:timers/promises) then follow the JSON in
 * FILE, which may change at any time; FastClock.ts writes it:
 *
 * - `rate`: how many times as fast as the real clock, at most 100, or the event loop's own delays look like a sleep.
 * - `skipToMs`: until that many ms since the first start, the clock leaps from timer to timer whenever the program waits for
 *   nothing else, so that a day takes seconds and no timer is ever late.
 * - `wallOffsetMs`: what the wall clock shows beyond that. The monotonic clock and the timers do not see it.
 * - `asleepMs`: so much of the time since the first start the machine slept: both clocks went on at once, all timers are late.
 *
 * With `&hurried=true` it leaps past timers without a pause when none of them moved a byte on a connection: a day then takes
 * a tenth of the time, and what others send meanwhile is seen up to that much later.
 *
 * FILE.now says how far the clock is: ms since the first start, ms since 1970, and at which real moment, ms since 1970; and
 * how many timers the program has set. A program that is started again goes on from there. SIGSTOP and the timers inside
 * Node (sockets, http, AbortSignal.timeout) stay real.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';

const { searchParams } = new URL(import.meta.url);
const control = searchParams.get('control');
const isHurried = searchParams.has('hurried');
/** How often FILE is read, real ms. */
const CONTROL_MS = 10;
/** With a connection open an answer may be on its way: the program must have been silent this long, real ms. */
const SILENCE_MS = 4;
/** Hurried, it knows whether an answer is due, and gives it so long, real ms: not all that is written gets one. */
const ANSWER_MS = 300;
/** While the clock leaps FILE.now is written this often, real ms: what happens after a leap is dated by it. */
const TELL_MS = isHurried ? 50 : 2;
/** Work under way: while there is any, the clock does not leap. */
const WORK = /^(TCPConnectWrap|WriteWrap|ShutdownWrap|FSReq|GetAddrInfo|ProcessWrap|PipeConnectWrap|TLSWrap)/;
const MAX_TIMER_MS = 2 ** 31 - 1;

const real = {
  Date,
  now: performance.now.bind(performance),
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
};
const wallAtStart = real.Date.now() - real.now();

/** The virtual clock: `at` at the real moment `since`, running at `rate`. */
const clock = { at: real.now(), since: real.now(), rate: 1, wallOffsetMs: 0, skipToMs: 0, asleepMs: 0 };
/** What this clock said last in a process before this one, which it goes on from: time does not run back over a crash. */
const before = lastTold();
const startedAt = clock.at - before.elapsedMs;
clock.asleepMs = before.asleepMs;
const monotonic = () => clock.at + (real.now() - clock.since) * clock.rate;

function moveTo(at) {
  clock.at = at;
  clock.since = real.now();
}

const wall = () => Math.floor(wallAtStart + before.aheadMs + monotonic() + clock.wallOffsetMs);

function lastTold() {
  try {
    const { elapsedMs, wallMs, atMs, wallOffsetMs, asleepMs } = JSON.parse(readFileSync(`${control}.now`, 'utf8'));
    return { elapsedMs: elapsedMs + real.Date.now() - atMs, aheadMs: wallMs - wallOffsetMs - atMs, asleepMs };
  } catch {
    return { elapsedMs: 0, aheadMs: 0, asleepMs: 0 }; // the first
  }
}

const pending = new Set();
let nextId = 1;
let order = 0;

class FastTimer {
  constructor(fn, ms, args, repeats) {
    const delay = Number(ms);
    this.id = nextId++;
    this.fn = fn;
    this.ms = delay >= 1 && delay <= MAX_TIMER_MS ? Math.trunc(delay) : 1;
    this.args = args;
    this.repeats = repeats;
    this.isRef = true;
    this.refresh();
  }
  refresh() {
    this.due = monotonic() + this.ms;
    this.order = order++;
    pending.add(this);
    drive();
    return this;
  }
  ref() {
    this.isRef = true;
    drive();
    return this;
  }
  unref() {
    this.isRef = false;
    drive();
    return this;
  }
  hasRef() {
    return this.isRef;
  }
  close() {
    this.repeats = false;
    pending.delete(this);
    drive();
    return this;
  }
  [Symbol.toPrimitive]() {
    return this.id;
  }
  [Symbol.dispose]() {
    this.close();
  }
}

function first() {
  let found;
  for (const timer of pending) {
    if (!found || timer.due < found.due || (timer.due === found.due && timer.order < found.order)) found = timer;
  }
  return found;
}

let armed;
let isFiring = false;

/** Arranges for the first timer to fire: one in each turn of the event loop, as Node does. */
function drive() {
  // Begun anew for each timer that is set, it would be put off for as long as each turn sets one.
  if (isFiring || armed?.isFire) return;
  disarm();
  const next = first();
  if (!next) return;
  const leftMs = (next.due - monotonic()) / clock.rate;
  if (leftMs <= 0) armed = { immediate: real.setImmediate(fire), isFire: true };
  else if (monotonic() < startedAt + clock.skipToMs) armed = { immediate: real.setImmediate(tryToLeap, real.now()) };
  else armed = { timeout: real.setTimeout(fire, Math.min(Math.ceil(leftMs), MAX_TIMER_MS)) };
  keepAlive();
}

/** The process lives on for the sake of timers that are not unref'd, as with Node's own. */
function keepAlive() {
  if (![...pending].some(({ isRef }) => isRef)) (armed.immediate ?? armed.timeout).unref();
}

function disarm() {
  if (armed?.immediate) real.clearImmediate(armed.immediate);
  if (armed?.timeout) real.clearTimeout(armed.timeout);
  armed = undefined;
}

const moved = { read: 0, written: 0, at: 0, silenceMs: SILENCE_MS };

/** Whether no answer is on its way. `since`: when the program last did something that this clock sees, real ms. */
function isSilent(since) {
  if (!isHurried) return real.now() - since >= SILENCE_MS;
  const sockets = process._getActiveHandles();
  const read = sockets.reduce((sum, { bytesRead = 0 }) => sum + bytesRead, 0);
  const written = sockets.reduce((sum, { bytesWritten = 0 }) => sum + bytesWritten, 0);
  if (read !== moved.read) Object.assign(moved, { read, written, at: real.now(), silenceMs: SILENCE_MS });
  else if (written !== moved.written) Object.assign(moved, { written, at: real.now(), silenceMs: ANSWER_MS });
  return real.now() - moved.at >= moved.silenceMs;
}

/** `since`: as in isSilent. */
function tryToLeap(since) {
  const next = first();
  if (!next) return;
  const work = process.getActiveResourcesInfo();
  const hasConnection = work.includes('TCPSocketWrap');
  const mayLeap = !work.some((kind) => WORK.test(kind)) && (!hasConnection || isSilent(since));
  if (mayLeap) {
    moveTo(Math.max(monotonic(), Math.min(next.due, startedAt + clock.skipToMs)));
    if (real.now() - toldAt >= TELL_MS || monotonic() >= startedAt + clock.skipToMs) tell();
  }
  const isDue = next.due <= monotonic();
  const isWaiting = !isDue && !mayLeap && monotonic() < startedAt + clock.skipToMs;
  armed = isWaiting
    ? { timeout: real.setTimeout(tryToLeap, 1, since) }
    : { immediate: real.setImmediate(isDue ? fire : drive) };
  keepAlive();
}

function fire() {
  armed = undefined;
  const timer = first();
  if (!timer || timer.due > monotonic()) return drive();
  if (real.now() - toldAt >= CONTROL_MS) tell(); // what the timer does is dated by it
  if (timer.repeats) {
    timer.due = monotonic() + timer.ms;
    timer.order = order++;
  } else pending.delete(timer);
  isFiring = true;
  try {
    timer.fn(...timer.args);
  } finally {
    isFiring = false;
    drive();
  }
}

function clear(timer) {
  if (timer instanceof FastTimer) return void timer.close();
  // One of Node's own, of a socket: as a number it would be taken for another of ours.
  if (typeof timer === 'object') return void real.clearTimeout(timer);
  [...pending].find(({ id }) => id === Number(timer))?.close();
}

const setTimeoutFast = (fn, ms, ...args) => new FastTimer(fn, ms, args, false);
const setIntervalFast = (fn, ms, ...args) => new FastTimer(fn, ms, args, true);

const sleep = (ms, value, o) =>
  new Promise((resolve, reject) => {
    const onAbort = () => {
      timer.close();
      reject(o.signal.reason);
    };
    if (o?.signal?.aborted) return reject(o.signal.reason);
    const timer = setTimeoutFast(() => {
      o?.signal?.removeEventListener('abort', onAbort);
      resolve(value);
    }, ms);
    o?.signal?.addEventListener('abort', onAbort, { once: true });
  });
Object.defineProperty(setTimeoutFast, Symbol.for('nodejs.util.promisify.custom'), { value: sleep });

globalThis.Date = new Proxy(real.Date, {
  construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [wall()] : args, self),
  apply: () => new real.Date(wall()).toString(),
  get: (target, key) => (key === 'now' ? wall : Reflect.get(target, key)),
});
Object.defineProperty(performance, 'now', { value: monotonic, configurable: true, writable: true });
for (const owner of [globalThis, timers]) {
  owner.setTimeout = setTimeoutFast;
  owner.setInterval = setIntervalFast;
  owner.clearTimeout = clear;
  owner.clearInterval = clear;
}
timersPromises.setTimeout = sleep;
syncBuiltinESMExports();

let toldAt = 0;
function tell() {
  toldAt = real.now();
  const now = {
    elapsedMs: Math.floor(monotonic() - startedAt),
    wallMs: wall(),
    atMs: real.Date.now(),
    rate: clock.rate,
    wallOffsetMs: clock.wallOffsetMs,
    asleepMs: clock.asleepMs,
    timers: pending.size,
  };
  // Whole or not at all: who finds half of it would go by what it said long ago.
  writeFileSync(`${control}.telling`, JSON.stringify(now));
  renameSync(`${control}.telling`, `${control}.now`);
}

let said = '';
function obey() {
  let text = '';
  try {
    text = readFileSync(control, 'utf8');
  } catch {
    // Not written yet: the real time.
  }
  if (text !== said && text.endsWith('\n')) {
    said = text;
    const { rate, wallOffsetMs, skipToMs, asleepMs } = JSON.parse(text);
    moveTo(monotonic() + asleepMs - clock.asleepMs);
    Object.assign(clock, { rate, wallOffsetMs, skipToMs, asleepMs });
    drive();
  }
  tell();
}
obey();
real.setInterval(obey, CONTROL_MS).unref();
