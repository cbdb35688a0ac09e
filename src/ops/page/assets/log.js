import { byId, clockTime, day, el, setText } from './dom.js';

/** Lines kept, the newest. */
const MAX_LINES = 400;
const RANK = { info: 0, warn: 1, error: 2 };
/** Within so many pixels of its end the log follows what comes. */
const NEAR_END = 24;

/** Lines with their elements, the newest last. */
let lines = [];

export function startLog() {
  byId('log').tabIndex = 0; // it scrolls, and not every browser lets the keyboard do that by itself
  byId('log-level').addEventListener('change', filter);
  byId('log-text').addEventListener('input', filter);
}

/** `begins`: these are the last lines of the file, in place of what is shown. */
export function showLog({ lines: come, skipped, begins }) {
  const list = byId('log');
  const follows = begins || list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
  if (begins) {
    list.replaceChildren();
    lines = [];
  }
  if (skipped > 0) come.unshift({ time: come[0].time, level: 'warn', text: `${skipped} lines are not shown here` });
  const made = come.map((line) => ({ ...line, node: row(line) }));
  const test = wanted();
  for (const line of made) line.node.hidden = !test(line);
  list.append(...made.map(({ node }) => node));
  lines.push(...made);
  for (const { node } of lines.splice(0, lines.length - MAX_LINES)) node.remove();
  tell();
  if (follows) list.scrollTop = list.scrollHeight;
}

function row({ time, level, text }) {
  const at = day(time) === day(Date.now()) ? clockTime(time, true) : `${day(time)} ${clockTime(time, true)}`;
  return el(
    'div',
    { class: 'line', 'data-level': level },
    el('time', { datetime: time, title: time }, at),
    el('span', { class: 'level' }, level),
    el('span', { class: 'text' }, text),
  );
}

function wanted() {
  const level = RANK[byId('log-level').value];
  const text = byId('log-text').value.trim().toLowerCase();
  return (line) => RANK[line.level] >= level && (text === '' || line.text.toLowerCase().includes(text));
}

function filter() {
  const test = wanted();
  for (const line of lines) line.node.hidden = !test(line);
  tell();
  const list = byId('log');
  list.scrollTop = list.scrollHeight;
}

function tell() {
  const shown = lines.filter(({ node }) => !node.hidden).length;
  setText(byId('log-count'), shown === lines.length ? '' : `${shown} of ${lines.length} lines`);
}
