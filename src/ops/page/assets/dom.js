/** The only ways in which this page makes elements: whatever comes from elsewhere becomes text. */

/** @param {Record<string, string | boolean | Function>} [props] attributes; `on…` are listeners */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Leaves a node alone whose text is the same: a selection in it stays. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Text in which `code` stands in backticks, as children. */
export function prose(text) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? el('code', {}, part) : part));
}

/**
 * Makes the children of `parent` those of `items`. An element lives as long as its key does, so that focus and
 * selection stay where they are.
 */
export function reconcile(parent, items, keyOf, make, update) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = before.get(key);
    if (node === undefined) {
      node = make(item);
      node.dataset.key = key;
    }
    before.delete(key);
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const gone of before.values()) gone.remove();
}

let zone;

/** The Mac's: an operator may look at it from elsewhere, and its log has its times. */
export function setTimeZone(name) {
  zone = name;
}

export function timeZone() {
  return zone;
}

const formats = new Map();

function format(options) {
  const key = JSON.stringify([zone, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options }));
  return formats.get(key);
}

export function clockTime(time, seconds = false) {
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return format(seconds ? { ...options, second: '2-digit' } : options).format(new Date(time));
}

export function day(time) {
  return format({ day: 'numeric', month: 'short' }).format(new Date(time));
}

/** `14:02`, with the day where it is not that of `now`. */
export function shortTime(time, now) {
  const date = day(time);
  return date === day(now) ? clockTime(time) : `${date}, ${clockTime(time)}`;
}

/** `3 h`: whole units, the largest that fits. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

export function since(time, now) {
  return span(Date.parse(now) - Date.parse(time));
}

export function plural(count, one, many) {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
