import { byId, el, plural, prose, reconcile, setText, shortTime, since, span } from './dom.js';

const SOCKET = {
  stopped: 'off',
  connecting: 'connecting',
  live: 'connected',
  waiting: 'not connected',
  halted: 'halted',
};

const severityOf = (condition) => condition.severity ?? 'critical';

/** The headline, the conditions, and the lists of facts. */
export function showFacts(state) {
  const { status, now } = state;
  const { conditions } = status;
  const critical = conditions.filter((condition) => severityOf(condition) === 'critical').length;
  const tone = critical > 0 ? 'bad' : conditions.length > 0 ? 'warn' : 'good';
  const verdict = verdictOf(critical, conditions.length - critical);
  byId('mark').dataset.state = tone;
  setText(byId('verdict'), verdict);
  document.title = `${tone === 'good' ? '' : `(${conditions.length}) `}${verdict} · ${status.agent_id}`;
  setText(byId('lead'), leadOf(status, now));
  setText(byId('agent'), status.agent_id);
  setText(byId('about'), aboutOf(state));
  showConditions(status, now);
  facts(byId('link'), linkFacts(status, now));
  facts(byId('queue'), queueFacts(status, now));
}

function verdictOf(critical, warnings) {
  if (critical > 0) return 'Needs attention';
  if (warnings > 0) return `Works, with ${plural(warnings, 'warning', 'warnings')}`;
  return 'All is well';
}

function leadOf({ websocket, delivery, last_inbound_at, started_at }, now) {
  const by = delivery === 'websocket' ? 'Connected' : 'Polling the backend';
  const link = websocket.since && delivery === 'websocket' ? `${by} for ${since(websocket.since, now)}` : by;
  const last = last_inbound_at ? `last message ${since(last_inbound_at, now)} ago` : 'no message yet';
  return [link, last, ...(started_at ? [`up ${since(started_at, now)}`] : [])].join(' · ');
}

function aboutOf({ status, time_zone }) {
  const memory = `${Math.round(status.memory.rss_bytes / 1e6)} MB`;
  const lost = status.log_lines_lost > 0 ? ` · ${plural(status.log_lines_lost, 'log line', 'log lines')} lost` : '';
  return `edge-agent ${status.version} · process ${status.pid} · ${memory} · times in ${time_zone}${lost}`;
}

function showConditions({ conditions, hidden_conditions: hidden = [] }, now) {
  byId('health').hidden = conditions.length === 0;
  reconcile(
    byId('conditions'),
    conditions,
    ({ code }) => code,
    () => el('li', { class: 'condition' }, el('h3'), el('p'), el('p', { class: 'fix' }), el('p', { class: 'detail' })),
    (node, condition) => {
      const severity = severityOf(condition);
      const { code, name, title = name, text = condition.means, detail = '', fix } = condition;
      node.dataset.severity = severity;
      const shown = [code, title, text, detail, fix, severity].join('\n');
      setText(
        node.lastElementChild,
        `${code} · since ${shortTime(condition.since, now)}, ${since(condition.since, now)}`,
      );
      if (node.dataset.shown === shown) return;
      node.dataset.shown = shown;
      node.children[0].replaceChildren(el('span', { class: 'severity' }, `${capital(severity)}: `), title);
      node.children[1].replaceChildren(...prose(detail && detail !== text ? `${text} (${detail})` : text));
      node.children[2].replaceChildren(el('b', {}, 'Do: '), ...prose(fix));
    },
  );
  const note = byId('hidden-conditions');
  note.hidden = hidden.length === 0;
  setText(note, `And ${hidden.length} more that ${hidden.length === 1 ? 'follows' : 'follow'} from what stands here.`);
}

function linkFacts(status, now) {
  const { websocket: socket, delivery, chatdb, cursor, last_inbound_at } = status;
  const problem = socket.last_problem;
  return [
    fact('WebSocket', `${SOCKET[socket.state]}${socket.since ? `, ${since(socket.since, now)}` : ''}`, {
      tone: socket.up ? 'good' : socket.state === 'stopped' ? '' : 'warn',
    }),
    fact('Commands come', delivery === 'websocket' ? 'over the WebSocket' : 'by polling'),
    ...(socket.up && socket.round_trip_ms !== null ? [fact('Ping', `${socket.round_trip_ms} ms`)] : []),
    ...(socket.up && socket.last_frame_seconds_ago !== null
      ? [fact('Last frame', `${span(socket.last_frame_seconds_ago * 1000)} ago`)]
      : []),
    ...(socket.next_dial_at ? [fact('Next try', nextTry(socket, now))] : []),
    ...(problem && !socket.up ? [fact('Last problem', problemText(problem))] : []),
    fact(
      'Last message',
      last_inbound_at ? `${shortTime(last_inbound_at, now)}, ${since(last_inbound_at, now)} ago` : 'none yet',
    ),
    fact('chat.db', chatdb.open ? (cursor ? `read up to row ${cursor.rowid}` : 'open') : 'cannot be read now', {
      tone: chatdb.open ? '' : 'bad',
    }),
    ...(chatdb.lacks.length > 0 ? [fact('Without', chatdb.lacks.join('; '))] : []),
  ];
}

/** The code only where the text does not have it already. */
function problemText({ code, text }) {
  return text.includes(code.replace('status_', '')) ? text : `${code}: ${text}`;
}

function nextTry({ next_dial_at, failures }, now) {
  const wait = Date.parse(next_dial_at) - Date.parse(now);
  const after = failures > 0 ? `, after ${plural(failures, 'failure', 'failures')}` : '';
  return `${wait > 0 ? `in ${span(wait)}` : 'now'}${after}`;
}

function queueFacts({ queues, sending, muted_threads }, now) {
  const seldom = [
    ['Backfill for the backend', queues.inbound_backfill],
    ['Rows not whole yet', queues.inbound_parked],
    ['Files to be fetched', queues.files_wanted],
    ['Files to be uploaded', queues.uploads],
    ['Commands not done', queues.commands_open],
    ['Bubbles not sent', queues.sends_failed, 'bad'],
    ['Bubbles that may have gone out', queues.sends_unknown, 'warn'],
    ['Files not uploaded', queues.uploads_failed, 'bad'],
    ['Threads without automatic answers', muted_threads.length === 0 ? 0 : queues.threads_muted, 'warn'],
  ];
  const held = sending.waiting_for_rate;
  return [
    count('Messages for the backend', queues.inbound_pending - queues.inbound_backfill),
    count('Bubbles to be sent', queues.sends_queued),
    count('Bubbles under way', queues.sends_in_flight),
    count('Acks and events', queues.acks + queues.events + queues.events_held),
    ...seldom.filter(([, number]) => number > 0).map(([name, number, tone]) => count(name, number, tone)),
    ...(held > 0 ? [count(`Held back by the rate until ${shortTime(sending.next_at, now)}`, held, 'warn')] : []),
  ];
}

function fact(name, value, { tone = '', isZero = false } = {}) {
  return { name, value, tone, isZero };
}

function count(name, number, tone = '') {
  return fact(name, number.toLocaleString('en-US'), { tone: number > 0 ? tone : '', isZero: number === 0 });
}

function facts(list, items) {
  reconcile(
    list,
    items,
    ({ name }) => name.replace(/ until .*/, ''),
    () => el('div', { class: 'fact' }, el('dt'), el('dd')),
    (row, { name, value, tone, isZero }) => {
      setText(row.firstChild, name);
      setText(row.lastChild, value);
      row.lastChild.dataset.tone = tone;
      row.toggleAttribute('data-zero', isZero);
    },
  );
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}
