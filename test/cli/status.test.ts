import { spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { queueText } from '../../src/messaging/queueText.ts';
import { ControlServer, controlSocketPath } from '../../src/ops/ControlServer.ts';
import { controlRoutes } from '../../src/ops/controlRoutes.ts';
import { type AgentStatus, conditionStatus, storeStatus } from '../../src/ops/status.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { agentStatus } from '../support/agentStatus.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const T = Date.UTC(2026, 0, 1);

/** A state store with one dead letter. */
function withStore(place = home()) {
  const store = StateStore.open(join(place.state, 'state.db'), T);
  store.transaction(() => {
    store.meta.set('started_at', String(T));
    store.inbound.insert({
      guid: 'GUID-1',
      epoch: 1,
      chatRowid: 5,
      threadId: '+15550100002',
      body: { filtered_text: 'canary' } as never,
      backfill: false,
      now: T,
    });
    store.inbound.markDead('GUID-1', 'EDGE_BACKEND_REJECTED', 'HTTP 422: no such field');
  });
  onTestFinished(() => store.close());
  return { ...place, store };
}

/** What stands behind the control socket of a running agent, with a real store and a status of the test's own. */
async function withAgent(changes: Partial<AgentStatus> = {}) {
  const place = withStore();
  const told = { sends: 0, inbound: 0 };
  const routes = controlRoutes({
    telemetry: silentTelemetry,
    store: place.store,
    clock: new FakeClock(T),
    status: () => ({ ...agentStatus(), ...storeStatus(place.store, T), ...changes }),
    queueText: (send) => queueText(place.store, send, 50),
    onSends: () => told.sends++,
    onInbound: () => told.inbound++,
    cancelSchedule: () => undefined,
  });
  const server = new ControlServer({ path: controlSocketPath(place.state), routes });
  await server.start();
  onTestFinished(() => server.stop());
  return { ...place, told };
}

describe('edge-agent status', () => {
  it('waits for nobody where the log is a pipe', async () => {
    const { config, log } = await withAgent({ dead_letters: [] });
    spawnSync('mkfifo', [log]);
    const { code } = await edgeAgent(['status', '--config', config]);
    expect(code).toBe(0);
  });

  it('says of an agent that runs that the run before it was killed', async () => {
    const { config, state } = await withAgent();
    const mark = { is_running: true, was_killed: true, kills: [T, Date.now() - 5000, Date.now() - 2000] };
    writeFileSync(join(state, 'run.json'), JSON.stringify(mark));
    const { out } = await edgeAgent(['status', '--config', config]);
    expect(out).toMatch(
      /^ {2}last run {7}killed, or the Mac lost its power, at about .* ago\), 2 times within a day$/m,
    );
  });

  it('says of an agent that runs with what the run before it ended by itself', async () => {
    const { config, state } = await withAgent();
    const failed = { code: 'EDGE_STATE_IO', at: Date.now() - 5000 };
    const mark = { is_running: true, was_killed: false, kills: [T], failed };
    writeFileSync(join(state, 'run.json'), JSON.stringify(mark));
    const { out } = await edgeAgent(['status', '--config', config]);
    expect(out).toMatch(/^ {2}last run {7}ended by itself at .* ago\) with EDGE_STATE_IO$/m);
  });

  it('says of launchd’s agent that its property list is gone', async () => {
    const { config } = await withAgent();
    const bin = tempDir();
    const status = async (pid: number) => {
      const launchctl = `printf '%s = {\\n\\tstate = running\\n\\tpid = ${pid}\\n}\\n' "$2"`;
      writeFileSync(join(bin, 'launchctl'), `#!/bin/bash\n${launchctl}\n`, { mode: 0o700 });
      const env = { HOME: tempDir(), PATH: `${bin}${delimiter}${process.env.PATH}` };
      return (await edgeAgent(['status', '--config', config], { env })).out;
    };
    const said = /^ {2}launchd {8}its property list is gone, so .*: `edge-agent service install`$/m;
    expect(await status(4711)).toMatch(said);
    expect(await status(4712)).not.toMatch(said);
  });

  it('asks the agent that runs although its configuration has problems by now, and names them', async () => {
    const { config } = await withAgent({ dead_letters: [] });
    appendFileSync(config, 'monitring:\n  port: 1\n');
    const { code, out, err } = await edgeAgent(['status', '--config', config]);
    expect(code).toBe(0);
    expect(out).toContain(' runs as edge_15550100001, process 4711');
    expect(err).toContain('monitring: is not a known key');
  });

  it('says that the agent is well', async () => {
    const { config, log } = await withAgent({ dead_letters: [] });
    writeFileSync(log, Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join(''));
    const { code, out } = await edgeAgent(['status', '--config', config]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^edge-agent 0\.1\.0 runs as edge_15550100001, process 4711, since 2026-01-01T00:00:00\.000Z \(\d+ d ago\)\n/,
    );
    expect(out).toContain('WebSocket      connected since');
    expect(out.trimEnd()).toMatch(/line 20\n(.*\n){8} {2}line 29$/);
  });

  it('says why commands come by polling, and when the WebSocket is tried again', async () => {
    const websocket = {
      ...agentStatus().websocket,
      up: false,
      state: 'halted',
      next_dial_at: '2026-01-01T00:01:00.000Z',
      failures: 9,
      last_problem: { code: 'status_403', text: 'Unexpected server response: 403' },
    } as const;
    const { config } = await withAgent({ websocket, delivery: 'polling' });
    const { out } = await edgeAgent(['status', '--config', config]);
    expect(out).toMatch(/WebSocket {6}halted, not connected since .*; commands come by HTTP polling\n/);
    expect(out).toContain('next try at 2026-01-01T00:01:00.000Z, after 9 failures in a row\n');
    expect(out).toContain('last problem: Unexpected server response: 403\n');
  });

  it('says what is wrong, and what to do about it', async () => {
    const { config } = await withAgent({
      conditions: [
        { ...conditionStatus({ code: 'EDGE_BACKEND_INSECURE', detail: 'http:', since: T }), means: 'W.', fix: 'Do W.' },
        {
          ...conditionStatus({ code: 'EDGE_CHATDB_NO_PERMISSION', detail: 'EPERM:\nnot allowed', since: T }),
          means: 'M.',
          fix: 'Do F.',
        },
      ],
      hidden_conditions: ['EDGE_CHATDB_READ', 'EDGE_CHATDB_SCHEMA'],
    });
    const { code, out } = await edgeAgent(['status', '--config', config]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /No Full Disk Access \(full-disk-access-denied, EDGE_CHATDB_NO_PERMISSION\) since .*, and 2 that follow from it\n {4}EPERM: not allowed\n {4}M\.\n {4}Do F\.\n {2}warning: The connection is not encrypted \(backend-insecure, EDGE_BACKEND_INSECURE\) since .* ago\)\n/,
    );
    expect(out).toMatch(
      /GUID-1 from …0002, .*: EDGE_BACKEND_REJECTED HTTP 422: no such field\n {4}edge-agent retry GUID-1\n/,
    );
    expect(out).not.toContain('canary');
    const json = JSON.parse((await edgeAgent(['status', '--json', '--config', config])).out);
    expect(json).toMatchObject({
      running: true,
      queues: { dead_letters: 1 },
      conditions: [{ severity: 'warning' }, { fix: 'Do F.' }],
    });
  });

  it('counts a warning as well', async () => {
    const warning = conditionStatus({ code: 'EDGE_SEND_RATE', detail: '30 a minute', since: T });
    const { config } = await withAgent({ conditions: [warning] });
    const { code, out } = await edgeAgent(['status', '--config', config]);
    expect([code, out]).toEqual([0, expect.stringContaining('warning: More bubbles than sending.rate allows')]);
  });

  it('lets what others wrote steer no terminal', async () => {
    const { config, store } = withStore();
    store.transaction(() => {
      const detail = 'osascript: \u001b[2J\u009b31m\nEDGE_OK';
      store.meta.set('conditions', JSON.stringify([{ code: 'EDGE_BACKEND_AUTH', detail, since: T }]));
    });
    for (const [flag, lineEnd] of [
      [[], ' '],
      [['--json'], '\\n'],
    ] as const) {
      const { out } = await edgeAgent(['status', '--config', config, ...flag]);
      expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      expect(out).toContain(`osascript: \\u001b[2J\\u009b31m${lineEnd}EDGE_OK`);
    }
  });

  it('says that no agent runs, since when, and what it left behind', async () => {
    const { config, store } = withStore();
    store.transaction(() => {
      store.meta.set('stopped_at', String(T + 60_000));
      store.meta.set(
        'conditions',
        JSON.stringify([{ code: 'EDGE_BACKEND_AUTH', detail: '401', since: T }, { code: 'EDGE_OLD' }]),
      );
    });
    const { code, out } = await edgeAgent(['status', '--config', config]);
    expect(code).toBe(3);
    expect(out).toMatch(/^edge-agent does not run as edge_15550100001; .* stopped 2026-01-01T00:01:00\.000Z/);
    expect(out).toContain('  waiting        nothing\n  given up       1 dead letter\n');
    expect(out).toMatch(
      /Conditions when it ended\n {2}The backend refuses the secret \(backend-auth, EDGE_BACKEND_AUTH\) since/,
    );
    store.transaction(() => store.meta.set('started_at', String(T + 120_000)));
    expect((await edgeAgent(['status', '--config', config])).out).toContain('ended without stopping in order');
  });

  it('says what waits and for what, which threads are muted, and what this chat.db lacks', async () => {
    const { config, store } = await withAgent({ chatdb: { path: '/c', open: true, lacks: ['edits (message.x)'] } });
    const rest = { epoch: 1, chatRowid: 6, threadId: '+15550100003', now: T };
    const body = { filtered_text: 'canary' } as never;
    store.transaction(() => {
      store.inbound.insert({ ...rest, guid: 'live', body, backfill: false });
      store.inbound.insert({ ...rest, guid: 'old-1', body, backfill: true });
      store.inbound.insert({ ...rest, guid: 'old-2', body, backfill: true });
      store.inbound.insert({ ...rest, guid: 'half', body: undefined, backfill: false });
      store.inbound.insert({ ...rest, guid: 'alone', body: undefined, backfill: true, undecided: true });
      const event = { event_type: 'message_edited', details: {} } as const;
      store.events.insert({ ...event, event_id: 'e-1' }, T, 'live');
      store.events.insert({ ...event, event_id: 'e-2' }, T);
      const file = {
        commandId: 'c-1',
        name: 'a.png',
        mimeType: 'image/png',
        url: 'https://h.example/a',
        data: undefined,
      };
      store.outgoingFiles.insert({ ...file, now: T });
      store.mutedThreads.mute('+15550100008', T, T + 600_000);
      store.mutedThreads.mute('+15550100009', T - 600_000, T);
    });
    const { out } = await edgeAgent(['status', '--config', config]);
    expect(out).toContain(
      ['  without        edits (message.x)', '  last inbound   2026-01-01T00:00:00.000Z'].join('\n'),
    );
    expect(out).toContain(
      [
        '  waiting        1 message for the backend',
        '                 2 backfill messages',
        '                 1 row that is not whole yet',
        '                 1 row that may be backfill',
        '                 1 file to be fetched for a bubble',
        '                 1 event for the next sync',
        '                 1 event about a message that goes first',
        '  given up       1 dead letter',
        '  muted          …0008 gets no automatic answers until 2026-01-01T00:10:00.000Z (EDGE_ANSWER_LOOP)',
        '',
      ].join('\n'),
    );
    expect(out).not.toContain('…0009');
    const json = JSON.parse((await edgeAgent(['status', '--json', '--config', config])).out);
    expect(json.queues).toMatchObject({ inbound_pending: 3, inbound_backfill: 2, inbound_parked: 2, events_held: 1 });
    expect(json.muted_threads).toEqual([
      { thread: '…0008', since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:10:00.000Z' },
    ]);
  });

  it('says when a bubble was not sent last, and how to find out which were not', async () => {
    const { config, store } = await withAgent();
    const bubble = { threadId: '+15550100003', text: 'canary', bubbleType: 'normal', now: T } as const;
    store.transaction(() => {
      const { sendId } = store.sends.insert({ ...bubble, key: 'cli:1' });
      store.sends.markSending(sendId, { rowid: 0, epoch: 1 }, T);
      store.sends.finish(sendId, 'unknown', T, 'EDGE_SEND_UNCONFIRMED', 'no row');
    });
    const { out } = await edgeAgent(['status', '--config', config]);
    const command = 'edge-agent export --what receipts --text --since 7d';
    expect(out).toMatch(/1 bubble that may have gone out\n {17}the last bubble 2026-01-01T00:00:00.000Z \(.* ago\)\n/);
    expect(out).toContain(`                 which bubbles: \`${command}\`\n`);
    const rows = (await edgeAgent([...command.split(' ').slice(1), '--since', '2000d', '--config', config])).out;
    expect(rows).toMatch(/"thread":"\+15550100003","state":"unknown".*"text":"canary"/);
  });

  it('says how much waits for the limits of sending, and until when', async () => {
    const sending = { waiting_for_rate: 7, next_at: '2026-01-01T00:01:00.000Z' };
    const { config } = await withAgent({ sending });
    const { out } = await edgeAgent(['status', '--config', config]);
    expect(out).toContain('  held back      7 bubbles by sending.rate, the next goes at 2026-01-01T00:01:00.000Z\n');
    expect(JSON.parse((await edgeAgent(['status', '--json', '--config', config])).out)).toMatchObject({ sending });
  });

  it('says that there never was one', async () => {
    const { config } = home();
    const { code, out } = await edgeAgent(['status', '--config', config]);
    expect(code).toBe(3);
    expect(out).toContain('does not run as edge_15550100001, and never has');
    expect(JSON.parse((await edgeAgent(['status', '--json', '--config', config])).out)).toMatchObject({
      running: false,
    });
  });
});

describe('edge-agent retry', () => {
  it('puts one dead letter or all back in the queue', async () => {
    const { config, store, told } = await withAgent();
    expect(await edgeAgent(['retry', 'GUID-9', '--config', config])).toMatchObject({
      code: 65,
      out: '',
      err: expect.stringContaining('there is no dead letter GUID-9'),
    });
    expect(told.inbound).toBe(0);
    expect(await edgeAgent(['retry', 'GUID-1', '--config', config])).toMatchObject({ code: 0, err: '' });
    expect(store.inbound.byGuid('GUID-1')?.state).toBe('pending');
    expect(told.inbound).toBe(1);
    store.transaction(() => store.inbound.markDead('GUID-1', 'EDGE_BACKEND_REJECTED', 'again'));
    const all = await edgeAgent(['retry', '--all', '--json', '--config', config]);
    expect(all).toMatchObject({ code: 0, out: '{"retried":1}\n' });
  });

  it('needs a running agent', async () => {
    const ended = await edgeAgent(['retry', '--all', '--config', home().config]);
    expect(ended).toMatchObject({ code: 69, err: expect.stringMatching(/EDGE_NOT_RUNNING.*\n.*\n {2}Start it/) });
  });
});

describe('edge-agent drop', () => {
  it('gives one dead letter or all up, and keeps the row that says so', async () => {
    const { config, store, told } = await withAgent();
    expect(await edgeAgent(['drop', 'GUID-9', '--config', config])).toMatchObject({
      code: 65,
      out: '',
      err: expect.stringContaining('there is no dead letter GUID-9'),
    });
    const dropped = await edgeAgent(['drop', 'GUID-1', '--config', config]);
    expect(dropped).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^1 message is given up; /) });
    const row = store.inbound.byGuid('GUID-1');
    expect(row).toMatchObject({
      state: 'done',
      doneAt: T,
      skipped: 'dropped by hand',
      errorCode: 'EDGE_BACKEND_REJECTED',
    });
    expect(told.inbound).toBe(0);
    expect(await edgeAgent(['retry', 'GUID-1', '--config', config])).toMatchObject({ code: 65 });
    const all = await edgeAgent(['drop', '--all', '--json', '--config', config]);
    expect(all).toMatchObject({ code: 0, out: '{"dropped":0}\n' });
    expect(await edgeAgent(['drop'])).toMatchObject({ code: 64, err: expect.stringContaining('or --all') });
  });
});

describe('edge-agent send', () => {
  const args = (config: string, ...more: string[]) => [
    'send',
    '--to',
    '+15550100002',
    '--text',
    'Hi "you"\n$(x)',
    '--config',
    config,
    ...more,
  ];

  it('queues the bubble and says so when it is not to wait', async () => {
    const { config, store, told } = await withAgent();
    const ended = await edgeAgent(args(config, '--wait', '0'));
    expect(ended).toMatchObject({
      code: 75,
      out: 'not sent yet: send 1 is queued. The agent goes on with it; `edge-agent status` says if something is in its way.\n',
    });
    expect(store.sends.byId(1)).toMatchObject({ threadId: '+15550100002', text: 'Hi "you"\n$(x)', state: 'queued' });
    expect(told.sends).toBe(1);
  });

  it.each([
    ['confirmed', 0, 'sent: send 1 is confirmed, chat.db has it as GUID-9\n'],
    ['failed', 1, 'not sent: send 1 failed. EDGE_SEND_REFUSED: error 22\n'],
    ['unknown', 75, 'not known: send 1 may have gone out. EDGE_SEND_UNCONFIRMED: no row\n'],
  ] as const)('waits for the outcome %s and tells it', async (state, code, out) => {
    const { config, store, told } = await withAgent();
    const ended = edgeAgent(args(config));
    for (; told.sends === 0; await new Promise((resolve) => setTimeout(resolve, 5)));
    store.transaction(() => {
      if (state === 'confirmed') store.sends.markConfirmed(1, { guid: 'GUID-9', rowid: 9 }, T);
      else if (state === 'failed') store.sends.finish(1, state, T, 'EDGE_SEND_REFUSED', 'error 22');
      else store.sends.finish(1, state, T, 'EDGE_SEND_UNCONFIRMED', 'no row');
    });
    expect(await ended).toMatchObject({ code, out, err: '' });
  });

  it('waits for all bubbles of a long text', async () => {
    const { config, store, told } = await withAgent();
    const text = 'One sentence that is nearly as long as a bubble. And another one.';
    const send = ['send', '--to', '+15550100002', '--text', text, '--config', config];
    const confirm = (sendId: number) =>
      store.transaction(() => store.sends.markConfirmed(sendId, { guid: `GUID-${sendId}`, rowid: sendId }, T));
    const ended = edgeAgent(send);
    for (; told.sends === 0; await new Promise((resolve) => setTimeout(resolve, 5)));
    confirm(1);
    confirm(2);
    expect(await ended).toMatchObject({
      code: 0,
      out: 'sent: send 1 is 2 bubbles, chat.db has them as GUID-1, GUID-2\n',
    });
    const failing = edgeAgent(send);
    for (; told.sends === 1; await new Promise((resolve) => setTimeout(resolve, 5)));
    confirm(3);
    store.transaction(() => store.sends.finish(4, 'failed', T, 'EDGE_SEND_REFUSED', 'error 22'));
    expect(await failing).toMatchObject({
      code: 1,
      out: 'not sent: send 3 failed. EDGE_SEND_REFUSED: part 2 of 2: error 22\n',
    });
    const waiting = await edgeAgent([...send, '--wait', '0', '--json']);
    expect(JSON.parse(waiting.out)).toMatchObject({ send_id: 5, state: 'queued', guids: [null, null] });
  });

  it('prints JSON, and refuses a text or a thread that is empty', async () => {
    const { config } = await withAgent();
    const queued = await edgeAgent(args(config, '--wait', '0', '--json'));
    expect(JSON.parse(queued.out)).toEqual({ send_id: 1, state: 'queued', guid: null, code: null, detail: null });
    const empty = await edgeAgent(['send', '--to', '+15550100002', '--text', '', '--config', config]);
    expect(empty).toMatchObject({ code: 65, err: expect.stringContaining('text: is empty') });
    const nobody = await edgeAgent(['send', '--to', '', '--text', 'x', '--config', config]);
    expect(nobody).toMatchObject({ code: 65, err: expect.stringContaining('thread_id: is empty') });
  });

  it('needs a running agent', async () => {
    const ended = await edgeAgent(args(home().config));
    expect(ended).toMatchObject({ code: 69, out: '', err: expect.stringContaining('EDGE_NOT_RUNNING') });
  });
});
