import { byId, clockTime, el, plural, reconcile, setText, timeZone } from './dom.js';

const HEIGHT = 180;
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

let plot;
let traffic;
let now = 0;

/** The day from midnight to midnight: what came in above the line, what went out below it. */
export function showChart(state) {
  const { traffic: next } = state;
  now = Date.parse(state.now) / 1000;
  const isOld = traffic && JSON.stringify(traffic) === JSON.stringify(next);
  if (isOld && plot) {
    plot.redraw(false);
    return;
  }
  traffic = next;
  const [sumIn, sumOut] = [sum(next.in), sum(next.out)];
  setText(byId('sum-in'), sumIn.toLocaleString('en-US'));
  setText(byId('sum-out'), sumOut.toLocaleString('en-US'));
  byId('chart').setAttribute(
    'aria-label',
    `Today ${plural(sumIn, 'message', 'messages')} came in and ${plural(sumOut, 'bubble', 'bubbles')} went out`,
  );
  showHours();
  draw();
}

function draw() {
  if (typeof uPlot === 'undefined') return; // it has not been loaded yet, and calls this when it is
  const data = columns();
  if (plot?.data[0].length === data[0].length && plot.data[0][0] === data[0][0]) {
    plot.setData(data);
    return;
  }
  plot?.destroy();
  const place = byId('chart');
  plot = new uPlot(optionsFor(place.clientWidth, data), data, place);
}

function columns() {
  const start = Date.parse(traffic.from) / 1000;
  return [
    traffic.in.map((_, index) => start + index * traffic.bucket_seconds),
    traffic.in,
    traffic.out.map((count) => -count),
  ];
}

function optionsFor(width, [times]) {
  const bars = uPlot.paths.bars({ size: [0.72, 12], align: 1 });
  const series = (name) => ({
    paths: bars,
    points: { show: false },
    width: 0,
    fill: () => color(name),
  });
  const axis = {
    stroke: () => color('--soft'),
    font: '11px system-ui, sans-serif',
    ticks: { show: false },
  };
  const end = times.at(-1) + traffic.bucket_seconds;
  return {
    width,
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), timeZone()),
    scales: {
      x: { time: true, range: [times[0], end] },
      y: { range: (_, low, high) => [Math.min(low ?? 0, -2) * 1.1, Math.max(high ?? 0, 2) * 1.1] },
    },
    series: [{}, series('--in'), series('--out')],
    axes: [
      {
        ...axis,
        size: 24,
        grid: { show: false },
        incrs: [3600, 10_800, 21_600],
        space: 56,
        values: (_, splits) => splits.map((time) => clockTime(time * 1000)),
      },
      {
        ...axis,
        size: 36,
        grid: { stroke: () => color('--line'), width: 1 },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
        space: 32,
        values: (_, splits) => splits.map((count) => String(Math.abs(count))),
      },
    ],
    hooks: { draw: [drawLines], setCursor: [readOut] },
  };
}

/** The line between in and out, and where the day has got to. */
function drawLines(u) {
  const { ctx, bbox } = u;
  const zero = Math.round(u.valToPos(0, 'y', true)) + 0.5;
  const x = Math.round(u.valToPos(now, 'x', true)) + 0.5;
  ctx.save();
  ctx.lineWidth = 1;
  for (const [name, dash, from, to] of [
    ['--soft', [], [bbox.left, zero], [bbox.left + bbox.width, zero]],
    ['--soft', [2, 3], [x, bbox.top], [x, bbox.top + bbox.height]],
  ]) {
    ctx.strokeStyle = color(name);
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
  }
  ctx.restore();
}

function readOut(u) {
  const time = u.cursor.left >= 0 ? u.posToVal(u.cursor.left, 'x') : undefined;
  const index = time === undefined ? -1 : Math.floor((time - u.data[0][0]) / traffic.bucket_seconds);
  const start = u.data[0][index];
  setText(
    byId('readout'),
    start === undefined
      ? ''
      : `${clockTime(start * 1000)}–${clockTime((start + traffic.bucket_seconds) * 1000)}: ${traffic.in[index]} in, ${traffic.out[index]} out`,
  );
}

function showHours() {
  const perHour = 3600 / traffic.bucket_seconds;
  const hours = [];
  for (let index = 0; index < traffic.in.length; index += perHour) {
    const at = Date.parse(traffic.from) + index * traffic.bucket_seconds * 1000;
    const part = (counts) => sum(counts.slice(index, index + perHour));
    if (at / 1000 <= now) hours.push({ at, in: part(traffic.in), out: part(traffic.out) });
  }
  reconcile(
    byId('hours').tBodies[0],
    hours.reverse(),
    ({ at }) => String(at),
    () => el('tr', {}, el('th', { scope: 'row' }), el('td'), el('td')),
    (row, hour) => {
      for (const [index, text] of [clockTime(hour.at), String(hour.in), String(hour.out)].entries()) {
        setText(row.children[index], text);
      }
    },
  );
}

export function startChart() {
  document.querySelector('script[src="/uplot.js"]').addEventListener('load', () => traffic && draw());
  new ResizeObserver(([entry]) => plot?.setSize({ width: entry.contentRect.width, height: HEIGHT })).observe(
    byId('chart'),
  );
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot?.redraw(false));
}

function sum(counts) {
  return counts.reduce((total, count) => total + count, 0);
}
