import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const T = Date.now() - 3_600_000;
const AT = new Date(T).toISOString();

function withStore() {
  const place = home();
  const store = StateStore.open(join(place.state, 'state.db'), T);
  onTestFinished(() => store.close());
  const message = (n: number, changes: { text?: string; threadId?: string; at?: number } = {}) => {
    const { text = `text ${n}`, threadId = '+15550100002', at = T + n } = changes;
    const body = { filtered_text: text, sender: threadId, service: 'iMessage', is_group: false } as never;
    const row = { guid: `GUID-${n}`, epoch: 1, chatRowid: n, threadId, body, backfill: false };
    store.inbound.insert({ ...row, messageAt: at, now: T + n });
  };
  return { ...place, store, message };
}

const jsonLines = (out: string) =>
  out
    .split('\n')
    .filter(Boolean)
    .map((text) => JSON.parse(text));

describe('edge-agent dead-letters', () => {
  it('lists every one, with the last four characters of its handle', async () => {
    const { config, store, message } = withStore();
    store.transaction(() => {
      for (let n = 0; n < 1200; n++) {
        message(n);
        store.inbound.markDead(`GUID-${n}`, 'EDGE_BACKEND_REJECTED', 'HTTP 422: \u001b[31m +15550100002');
      }
      store.inbound.drop('GUID-7', T + 60_000);
    });
    const [text, json, dropped] = await Promise.all([
      edgeAgent(['dead-letters', '--config', config]),
      edgeAgent(['dead-letters', '--json', '--config', config]),
      edgeAgent(['dead-letters', '--dropped', '--config', config]),
    ]);
    expect(text.out.split('\n').slice(0, 2)).toEqual([
      `GUID-0  from …0002, since ${AT}  EDGE_BACKEND_REJECTED HTTP 422: \\u001b[31m …0002`,
      `GUID-1  from …0002, since ${new Date(T + 1).toISOString()}  EDGE_BACKEND_REJECTED HTTP 422: \\u001b[31m …0002`,
    ]);
    expect(text.out).toContain('`edge-agent drop GUID` gives it up');
    expect(jsonLines(json.out)).toHaveLength(1199);
    expect(dropped.out).toMatch(
      new RegExp(`^GUID-7 {2}from …0002, since .*, dropped ${new Date(T + 60_000).toISOString()} {2}EDGE_BACKEND.*\n$`),
    );
  });

  it('says of a damaged state.db that it is damaged and what mends it', async () => {
    const { config, state } = home();
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, 'state.db'), Buffer.alloc(8192, 'garbage '));
    const ended = await edgeAgent(['dead-letters', '--config', config]);
    expect(ended.err).toMatch(/^edge-agent: EDGE_STATE_CORRUPT: .*not a database\n.*\n {2}Restart the agent/);
  });

  it('says that there are none, also where no agent ever ran', async () => {
    const { config } = home();
    expect(await edgeAgent(['dead-letters', '--config', config])).toMatchObject({
      code: 0,
      out: 'There are no dead letters\n',
    });
  });
});

describe('edge-agent export', () => {
  it('prints messages and receipts in the order of time, without texts and whole handles', async () => {
    const { config, store, message } = withStore();
    store.transaction(() => {
      message(1);
      message(2, { at: T - 500 });
      store.inbound.markDone('GUID-1', T + 40);
      const send = { key: 'reply:GUID-1:0', threadId: '+15550100002', text: 'canary', bubbleType: 'normal' } as const;
      const { sendId } = store.sends.insert({ ...send, now: T + 20, answersId: 1 });
      store.sends.markSending(sendId, { rowid: 1, epoch: 1 }, T + 25);
      store.sends.markAccepted(sendId, T + 26);
      store.sends.markConfirmed(sendId, { guid: 'GUID-9', rowid: 9 }, T + 30);
    });
    const { code, out, err } = await edgeAgent(['export', '--config', config]);
    expect(code).toBe(0);
    expect(out).not.toMatch(/canary|text 1|15550100002/);
    expect(err).toMatch(/^edge-agent export: what was done with before .* is deleted after 90 days and not here\n$/);
    const iso = (ms: number) => new Date(T + ms).toISOString();
    const both = { thread: '…0002', attempts: 0, code: null };
    const inbound = { ...both, kind: 'message', sender: '…0002', service: 'iMessage', is_group: false };
    const waiting = { state: 'pending', not_handed_over: null, backfill: false, attachments: 0, done_at: null };
    expect(jsonLines(out)).toEqual([
      { ...inbound, ...waiting, guid: 'GUID-2', at: iso(-500), received_at: iso(2) },
      { ...inbound, ...waiting, guid: 'GUID-1', at: iso(1), received_at: iso(1), state: 'done', done_at: iso(40) },
      {
        ...both,
        kind: 'receipt',
        at: iso(25),
        send_id: 1,
        guid: 'GUID-9',
        state: 'confirmed',
        bubble_type: 'normal',
        answers: 'GUID-1',
        command_id: null,
        is_file: false,
        attempts: 1,
        queued_at: iso(20),
        sent_at: iso(25),
        confirmed_at: iso(30),
        delivered_at: null,
        read_at: null,
        finished_at: iso(30),
      },
    ]);
    const whole = await edgeAgent(['export', '--text', '--what', 'receipts', '--since', '2h', '--config', config]);
    expect(jsonLines(whole.out)).toMatchObject([{ thread: '+15550100002', text: 'canary', file: null }]);
    expect(whole.err).toBe('');
  });

  it('keeps to the period and the thread, and says which texts are gone', async () => {
    const { config, store, message } = withStore();
    store.transaction(() => {
      message(1);
      message(2, { threadId: '+15550100003' });
      message(3);
      message(4);
      for (const n of [1, 2, 3]) store.inbound.markDone(`GUID-${n}`, T);
      store.inbound.prune(T + 1, 0, 10);
    });
    const until = new Date(T + 4).toISOString();
    const period = ['--since', AT, '--until', until, '--thread', '+15550100002', '--text'];
    const { out, err } = await edgeAgent(['export', ...period, '--config', config]);
    expect(jsonLines(out).map(({ guid, text }) => [guid, text])).toEqual([
      ['GUID-1', null],
      ['GUID-3', null],
    ]);
    expect(err).toBe('edge-agent export: 2 lines have no text any more: texts are kept 7 days\n');
  });

  it('prints 100,000 rows in the memory that 20,000 take', async () => {
    const { config, store, message } = withStore();
    const text = 'x'.repeat(1000);
    store.transaction(() => {
      for (let n = 0; n < 100_000; n++) message(n, { text });
    });
    const preload = `--import=data:text/javascript,${encodeURIComponent(
      "process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS))",
    )}`;
    const options = { env: { NODE_OPTIONS: preload } };
    const [few, all] = [
      await edgeAgent(['export', '--text', '--until', new Date(T + 20_000).toISOString(), '--config', config], options),
      await edgeAgent(['export', '--text', '--since', '2h', '--config', config], options),
    ];
    expect(few.code).toBe(0);
    const lines = all.out.trimEnd().split('\n');
    expect(lines).toHaveLength(100_000);
    expect(JSON.parse(lines[99_999]!)).toMatchObject({ guid: 'GUID-99999', text });
    const peak = ({ err }: { err: string }) => Number(/peak (\d+)/.exec(err)?.[1]) / 1024;
    expect(peak(all) - peak(few)).toBeLessThan(40); // 80,000 rows more are 110 MB
  });

  it.each([
    [['--what', 'texts'], 'expected messages or receipts'],
    [['--since', 'x'], 'expected such as'],
  ])('refuses %j', async (args, words) => {
    expect(await edgeAgent(['export', ...args])).toMatchObject({ code: 64, err: expect.stringContaining(words) });
  });
});
