import { showChart, startChart } from './chart.js';
import { byId, clockTime, el, prose, setText, setTimeZone } from './dom.js';
import { showFacts } from './facts.js';
import { showLists, startLists } from './lists.js';
import { showLog, startLog } from './log.js';

/** Between two tries to reach the agent again, ms. */
const RETRY_MS = 2_000;
/** The state comes every two seconds; after so long without it the connection is dead, ms. */
const SILENT_MS = 10_000;
/** What was done is said for so long, ms. */
const SAID_MS = 6_000;

const TROUBLES = {
  down: [
    'The agent does not answer',
    'It was stopped, it is starting again, or this Mac sleeps. Ask `edge-agent status`; start it with `edge-agent service start`.',
  ],
  locked: [
    'This page is locked',
    'The agent was started again, and each start has its own key. Run `edge-agent open`; this page then goes on by itself.',
  ],
  refused: ['The agent refuses to say how it is', 'Its log says why; so does `edge-agent status`.'],
};

let heardAt = 0;
let saidTimer;

function show(state) {
  heardAt = performance.now();
  setTimeZone(state.time_zone);
  document.body.dataset.shownAt = state.now;
  showFacts(state);
  showLists(state);
  showChart(state);
}

function trouble(kind) {
  const place = byId('trouble');
  for (const button of document.querySelectorAll('main button')) button.disabled = kind !== undefined;
  if (place.dataset.kind === (kind ?? '')) return;
  place.dataset.kind = kind ?? '';
  if (kind === undefined) {
    place.replaceChildren();
    return;
  }
  const [title, help] = TROUBLES[kind];
  const asOf = clockTime(document.body.dataset.shownAt, true);
  place.replaceChildren(el('b', {}, title), ...prose(`${help} What stands below was so at ${asOf}.`));
}

function connect() {
  const source = new EventSource('api/stream');
  const watch = setInterval(() => performance.now() - heardAt > SILENT_MS && end(), 1_000);
  const end = () => {
    clearInterval(watch);
    source.close();
    find();
  };
  source.addEventListener('state', ({ data }) => {
    show(JSON.parse(data));
    trouble(undefined);
  });
  source.addEventListener('log', ({ data }) => showLog(JSON.parse(data)));
  source.addEventListener('error', end);
}

/** Asks again and again until the agent answers. */
async function find() {
  const kind = await ask();
  trouble(kind);
  setTimeout(kind === undefined ? connect : find, RETRY_MS);
}

/** Shows the state, or says why there is none. */
async function ask() {
  try {
    const answer = await fetch('api/state', { signal: AbortSignal.timeout(SILENT_MS) });
    if (answer.ok) show(await answer.json());
    return answer.ok ? undefined : [401, 404].includes(answer.status) ? 'locked' : 'refused';
  } catch {
    return 'down';
  }
}

async function perform(path, body, done) {
  try {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(path, init);
    const reply = await answer.json();
    say(answer.ok ? done(reply) : `That was refused: ${reply.error.message}`);
  } catch {
    say('The agent does not answer; whether it was done shows when it does.');
  }
  trouble(await ask());
}

function say(text) {
  clearTimeout(saidTimer);
  setText(byId('said'), text);
  saidTimer = setTimeout(() => setText(byId('said'), ''), SAID_MS);
}

startLists(perform);
startLog();
startChart();
show(JSON.parse(byId('first').textContent));
performance.mark('shown');
connect();
