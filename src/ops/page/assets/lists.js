import { byId, el, plural, reconcile, setText, shortTime, since } from './dom.js';

/** A button that takes something away asks once more; for so long, ms. */
const ARMED_MS = 4_000;

let act = () => {};

/** `perform(path, body, done)` asks the agent to do something and says how that went. */
export function startLists(perform) {
  act = perform;
  byId('retry-all').addEventListener('click', () =>
    act(
      'api/retry',
      { all: true },
      ({ retried }) => `${plural(retried, 'message is', 'messages are')} handed over again.`,
    ),
  );
}

export function showLists({ status, schedules, can, now }) {
  const dead = status.dead_letters;
  reconcile(
    byId('schedules'),
    schedules,
    ({ schedule_id }) => schedule_id,
    scheduleRow,
    (row, schedule) => {
      const { name, thread, send_at, recurrence } = schedule;
      setText(row.children[0], `${shortTime(send_at, now)} to ${thread}`);
      setText(row.children[2], [name, ...(recurrence ? [recurrence] : [])].join(' · '));
    },
  );
  counted('schedule', 'schedules', schedules.length, status.queues.schedules);
  reconcile(
    byId('dead-letters'),
    dead,
    ({ guid }) => guid,
    (letter) => deadRow(letter, can),
    (row, letter) => {
      const { thread, code, detail } = letter;
      setText(row.children[0], `From ${thread}, ${since(letter.since, now)} ago`);
      setText(row.children[2], [code, detail].filter(Boolean).join(': '));
    },
  );
  counted('dead', 'dead-letters', dead.length, status.queues.dead_letters);
  byId('retry-all').hidden = status.queues.dead_letters < 2 || !can.includes('retry');
}

function counted(heading, list, shown, all) {
  setText(byId(`${heading}-count`), all === 0 ? '' : shown < all ? `first ${shown} of ${all}` : String(all));
  byId(`no-${list}`).hidden = all > 0;
}

function scheduleRow({ schedule_id, name }) {
  const cancel = () =>
    act('api/cancel', { schedule_id }, ({ found }) =>
      found === 'pending' ? `Schedule ${name} is cancelled.` : `Schedule ${name} is ${found ?? 'gone'} already.`,
    );
  return row(button('Cancel', `Cancel schedule ${name}`, cancel, 'Really cancel?'));
}

function deadRow({ guid }, can) {
  const retry = () =>
    act('api/retry', { guid }, ({ retried }) =>
      retried > 0 ? 'The message is handed over again.' : 'The message is no dead letter any more.',
    );
  const drop = () => act('api/drop', { guid }, () => 'The message is dropped.');
  return row(
    ...(can.includes('retry') ? [button('Retry', `Retry message ${guid}`, retry)] : []),
    ...(can.includes('drop') ? [button('Drop', `Drop message ${guid}`, drop, 'Really drop?')] : []),
  );
}

function row(...buttons) {
  return el(
    'li',
    { class: 'row' },
    el('span', { class: 'what' }),
    el('span', { class: 'doings' }, ...buttons),
    el('span', { class: 'detail' }),
  );
}

/** With `question` it takes two clicks. */
function button(label, name, press, question) {
  let timer;
  const disarm = () => {
    clearTimeout(timer);
    delete node.dataset.armed;
    setText(node, label);
    node.setAttribute('aria-label', name);
  };
  const node = el('button', {
    type: 'button',
    'aria-label': name,
    onclick() {
      if (question === undefined || 'armed' in node.dataset) {
        disarm();
        press();
        return;
      }
      node.dataset.armed = '';
      setText(node, question);
      node.setAttribute('aria-label', `${question} ${name}`);
      timer = setTimeout(disarm, ARMED_MS);
    },
    onblur: disarm,
  });
  setText(node, label);
  return node;
}
