import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { query, send, simulatedMac } from './simulatedMac.ts';

const OUTGOING = `
  SELECT m.guid, m.text, m.attributedBody AS body, m.service, m.is_sent, m.is_delivered, m.date_delivered > 0 AS hasDate,
    m.error, m.is_finished, c.guid AS chat
  FROM message m LEFT JOIN chat_message_join j ON j.message_id = m.ROWID LEFT JOIN chat c ON c.ROWID = j.chat_id
  WHERE m.is_from_me = 1 ORDER BY m.ROWID`;

/** A Mac on which nothing happens after the row, so that a moment can be looked at. */
const SLOW = { joinMs: 600_000, sentMs: 600_000, deliveredMs: 600_000, attachmentMs: 600_000 };

describe('a send by osascript', () => {
  it('ends with 0 and prints nothing once the row is there', async () => {
    const mac = await simulatedMac({ delays: SLOW });
    expect(await send(mac, { text: 'hello' })).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    const [row, ...others] = query(mac.chatDbPath, OUTGOING);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ text: null, service: 'iMessage', is_sent: 0, is_delivered: 0, error: 0, chat: null });
    expect((row!.body as Buffer).includes('hello')).toBe(true);
  });

  it('gets its chat, is_sent and is_delivered later, in transactions of their own', async () => {
    const mac = await simulatedMac({ delays: { joinMs: 5, sentMs: 25, deliveredMs: 45 } });
    const seen = new Set<string>();
    await send(mac);
    await waitFor('the delivered row', () => {
      const [row] = query(mac.chatDbPath, OUTGOING);
      seen.add(`${row?.chat} ${row?.is_sent} ${row?.is_delivered} ${row?.hasDate}`);
      return row?.is_delivered === 1;
    });
    expect([...seen].at(-1)).toBe('any;-;+15550100001 1 1 1');
    expect([...seen]).toContain('any;-;+15550100001 0 0 0');
    expect([...seen]).toContain('any;-;+15550100001 1 0 0');
  });

  it('goes to a chat by its guid', async () => {
    const mac = await simulatedMac();
    const group = { id: 'chat831', participants: ['+15550100001', '+15550100002'] };
    mac.people.receive({ from: '+15550100001', text: 'all here?', group });
    const ended = await send(mac, { form: 'chat', target: 'any;+;chat831', service: '', text: 'yes' });
    expect(ended.code).toBe(0);
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ chat: 'any;+;chat831', is_delivered: 1 }]);
    expect(mac.messages.effects).toMatchObject([{ form: 'chat', target: 'any;+;chat831', text: 'yes' }]);
  });

  it('can come back as an inbound row, as from oneself, and can be delivered when it is told to, or never', async () => {
    const mac = await simulatedMac({ delays: { deliveredMs: 600_000 } });
    mac.messages.behave({ selfCopyMs: 20, deliveredMs: 'never' });
    await send(mac, { text: 'note' });
    await mac.settled();
    const rows = query(mac.chatDbPath, 'SELECT guid, is_from_me, is_delivered FROM message ORDER BY ROWID');
    expect(rows).toMatchObject([
      { is_from_me: 1, is_delivered: 0, guid: mac.messages.effects[0]!.guid },
      { is_from_me: 0, guid: expect.not.stringContaining(mac.messages.effects[0]!.guid) },
    ]);
    expect(query(mac.chatDbPath, 'SELECT * FROM chat_message_join')).toHaveLength(2);
    mac.messages.behave({ deliveredMs: 20 });
    await send(mac, { text: 'sooner' });
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ is_delivered: 0 }, { is_delivered: 1 }]);
  });

  it('leaves an SMS at is_sent', async () => {
    const mac = await simulatedMac();
    await send(mac, { service: 'SMS' });
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ service: 'SMS', is_sent: 1, is_delivered: 0 }]);
  });

  it('is noted with its bytes, its guid and the start of its osascript, in memory and in a file', async () => {
    const effectsFile = join(tempDir(), 'effects.ndjson');
    const mac = await simulatedMac({ effectsFile });
    const before = Date.now();
    await send(mac, { text: 'é😀' });
    const [effect] = mac.messages.effects;
    expect(effect).toMatchObject({ text: 'é😀', bytes: 6, guid: query(mac.chatDbPath, OUTGOING)[0]!.guid });
    expect(effect!.startedAtUs! / 1000).toBeGreaterThanOrEqual(before);
    expect(effect!.startedAtUs! / 1000).toBeLessThan(before + 60_000);
    expect(readFileSync(effectsFile, 'utf8')).toBe(`${JSON.stringify(effect)}\n`);
  });

  it.each([
    [
      { form: 'chat', target: 'any;-;+15550100009' },
      'Messages got an error: Can’t get chat id "any;-;+15550100009". (-1728)',
    ],
    [{ target: '' }, 'Messages got an error: Can’t get participant "" of account 1. (-1728)'],
    [{ service: 'any' }, 'Messages got an error: Can’t make any into type service type. (-1700)'],
  ] as const)('of %j fails as in Messages', async (request, message) => {
    const mac = await simulatedMac();
    const ended = await send(mac, request);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^\d+:\d+: execution error: /);
    expect(ended.stderr).toContain(message);
    expect(query(mac.chatDbPath, OUTGOING)).toEqual([]);
    expect(mac.messages.effects).toEqual([]);
  });
});

describe('a group', () => {
  it('is found by either prefix, and a person by the stored one alone', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from: '+15550100001', text: 'hi', group: { id: 'chat831', participants: ['+15550100001'] } });
    mac.people.receive({ from: '+15550100001', text: 'hi' });
    const code = async (target: string) => (await send(mac, { form: 'chat', target, service: '' })).code;
    expect([await code('any;+;chat831'), await code('iMessage;+;chat831'), await code('SMS;+;chat831')]).toEqual([
      0, 0, 1,
    ]);
    expect([await code('any;-;+15550100001'), await code('iMessage;-;+15550100001')]).toEqual([0, 1]);
  });
});

describe('a Mac without an account', () => {
  it('knows neither the people nor the chats of that service', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from: '+15550100001', text: 'hi' });
    mac.messages.accounts = ['SMS'];
    expect((await send(mac)).stderr).toContain('Invalid index. (-1719)');
    expect((await send(mac, { form: 'chat', target: 'any;-;+15550100001', service: '' })).stderr).toContain('(-1728)');
    expect((await send(mac, { service: 'SMS' })).code).toBe(0);
  });
});

describe('a scripted behaviour', () => {
  it.each([
    [-1743, 'execution error: Not authorized to send Apple events to Messages. (-1743)'],
    [-1712, 'execution error: Messages got an error: AppleEvent timed out. (-1712)'],
    [-600, 'execution error: Messages got an error: Application isn’t running. (-600)'],
    [-1719, 'Can’t get account 1 whose service type = iMessage. Invalid index. (-1719)'],
    [-2753, 'execution error: The variable targetService is not defined. (-2753)'],
    [-12345, 'An error of type -12345 has occurred. (-12345)'],
  ])('fails with %i, without an effect', async (code, message) => {
    const mac = await simulatedMac();
    mac.messages.behave({ fail: code });
    const ended = await send(mac);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(message);
    expect(mac.messages.effects).toEqual([]);
  });

  it('can be for one service alone', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ fail: -1728, only: { service: 'SMS' } });
    expect((await send(mac)).code).toBe(0);
    expect((await send(mac, { service: 'SMS' })).code).toBe(1);
  });

  it('is for one send, for several, or for all until told otherwise', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ fail: { code: -1, message: 'first' } });
    mac.messages.behave({ fail: { code: -2, message: 'then' }, times: 2 });
    mac.messages.behave({ fail: { code: -3, message: 'ever after' }, times: 'always' });
    const codes = [];
    for (let i = 0; i < 5; i++) codes.push((await send(mac)).stderr.match(/\((-\d)\)/)?.[1]);
    expect(codes).toEqual(['-1', '-2', '-2', '-3', '-3']);
    mac.messages.behaveWell();
    expect((await send(mac)).code).toBe(0);
    expect(mac.messages.requests).toHaveLength(6);
    expect(mac.messages.effects).toHaveLength(1);
  });

  it('can be kept to one form or one target', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ fail: -1728, only: { form: 'chat' }, times: 'always' });
    mac.messages.behave({ fail: -1728, only: { target: '+15550100002' }, times: 'always' });
    expect((await send(mac)).code).toBe(0);
    expect((await send(mac, { form: 'chat', target: 'any;-;+15550100001' })).code).toBe(1);
    expect((await send(mac, { target: '+15550100002' })).code).toBe(1);
  });

  it('lets time pass before the effect, and after it before the end', async () => {
    const mac = await simulatedMac();
    const order: string[] = [];
    mac.messages.onEffect = () => order.push('effect');
    mac.messages.behave({
      beforeEffectMs: 30,
      afterEffectMs: 30,
      beforeEffect: () => void order.push('before'),
      afterEffect: () => void order.push('after'),
    });
    const began = performance.now();
    await send(mac).then(() => order.push('end'));
    expect(order).toEqual(['before', 'effect', 'after', 'end']);
    expect(performance.now() - began).toBeGreaterThanOrEqual(58);
  });

  it('waits for its hooks', async () => {
    const mac = await simulatedMac();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    mac.messages.behave({ beforeEffect: () => held });
    const sending = send(mac);
    await waitFor('the request', () => mac.messages.requests.length === 1);
    expect(mac.messages.effects).toEqual([]);
    release();
    expect((await sending).code).toBe(0);
    expect(mac.messages.effects).toHaveLength(1);
  });

  it.each([
    ['before-effect', 0],
    ['after-effect', 1],
  ] as const)('hangs %s until osascript is killed', async (hang, effects) => {
    const mac = await simulatedMac();
    mac.messages.behave({ hang });
    const killing = new AbortController();
    const sending = send(mac, { signal: killing.signal });
    await waitFor('the request', () => mac.messages.requests.length === 1);
    await waitFor('what comes before the hang', () => mac.messages.effects.length === effects);
    killing.abort();
    expect(await sending).toMatchObject({ code: null, signal: 'SIGTERM' });
    expect(mac.messages.effects).toHaveLength(effects);
  });

  it('has the effect although its osascript was killed', async () => {
    const mac = await simulatedMac();
    let release = () => {};
    mac.messages.behave({
      beforeEffect: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
    });
    const killing = new AbortController();
    const sending = send(mac, { signal: killing.signal });
    await waitFor('the request', () => mac.messages.requests.length === 1);
    killing.abort();
    await sending;
    release();
    await waitFor('the effect', () => mac.messages.effects.length === 1);
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ is_delivered: 1 }]);
  });

  it('leaves a ghost row: empty, SMS, without a chat, and no effect', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ ghost: true });
    expect((await send(mac)).code).toBe(0);
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ text: '', body: null, service: 'SMS', chat: null }]);
    expect(mac.messages.effects).toEqual([]);
  });

  it('ends with 0 and leaves nothing at all', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ swallow: true });
    expect((await send(mac)).code).toBe(0);
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toEqual([]);
    expect(mac.messages.effects).toEqual([]);
  });

  it('marks the row as refused some time after osascript ended well', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ error: 22, errorMs: 40 });
    expect((await send(mac)).code).toBe(0);
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ error: 0, is_sent: 0 }]);
    await mac.settled();
    const refused = { error: 22, is_sent: 0, is_delivered: 0, is_finished: 1, chat: 'any;-;+15550100001' };
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([refused]);
    expect(mac.messages.effects).toEqual([]);
  });

  it('shows the row late, with the effect at once', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ rowMs: 60 });
    expect((await send(mac)).code).toBe(0);
    expect(mac.messages.effects).toHaveLength(1);
    expect(query(mac.chatDbPath, OUTGOING)).toEqual([]);
    await mac.settled();
    expect(query(mac.chatDbPath, OUTGOING)).toMatchObject([{ guid: mac.messages.effects[0]!.guid, is_sent: 1 }]);
  });

  it('fails although the bubble is out', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ failAfterEffect: -1712 });
    expect((await send(mac)).stderr).toContain('(-1712)');
    expect(mac.messages.effects).toHaveLength(1);
    expect(query(mac.chatDbPath, OUTGOING)).toHaveLength(1);
  });
});

describe('Messages', () => {
  it('answers -600 from when it quits until it is launched', async () => {
    const mac = await simulatedMac();
    mac.messages.quit();
    expect((await send(mac)).stderr).toContain('(-600)');
    mac.messages.launch();
    expect((await send(mac)).code).toBe(0);
  });

  it('answers -1743 to everything while Automation is denied', async () => {
    const mac = await simulatedMac();
    mac.messages.automation = 'denied';
    expect((await send(mac)).stderr).toContain('(-1743)');
    expect(mac.messages.effects).toEqual([]);
  });

  it('never answers while nobody clicks the Automation dialog', async () => {
    const mac = await simulatedMac();
    mac.messages.automation = 'unanswered';
    const killing = new AbortController();
    const sending = send(mac, { signal: killing.signal });
    await waitFor('the request', () => mac.messages.requests.length === 1);
    killing.abort();
    expect((await sending).signal).toBe('SIGTERM');
    expect(mac.messages.effects).toEqual([]);
  });
});
