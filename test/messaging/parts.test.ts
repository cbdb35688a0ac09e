import { describe, expect, it } from 'vitest';
import { MAX_TEXT_CHARS, queueText } from '../../src/messaging/queueText.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { settle } from '../support/FakeClock.ts';
import { EXIT_0, scriptError } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

const MAX = 50;
const PARTS = [
  'The first of the sentences is some 42 long.',
  'The second of the sentences is as long.',
  'And a third.',
];
const TEXT = PARTS.join(' ');

function command(rig: SenderRig, commandId: string, text = TEXT): SendRow[] {
  const { commands, sends } = rig.store;
  const now = rig.clock.now();
  const rest = { payload: {}, channel: 'websocket', issuedAt: now, now } as const;
  commands.insert({ commandId, commandType: 'send_message_now', ...rest });
  const send = { key: `command:${commandId}`, threadId: ANNA, text, bubbleType: 'normal', commandId, now } as const;
  const root = queueText(rig.store, send, MAX);
  commands.setSend(commandId, root.sendId);
  return [root, ...sends.partsOf(root.sendId)];
}

const states = (rig: SenderRig, rows: SendRow[]) => rows.map((row) => rig.state(row));

/** Messages refuses the bubble with that text for good; the others go out. */
function refuse(rig: SenderRig, text: string): void {
  rig.mac.onRun = (call) => {
    rig.mac.write(call, call.text === text ? { isSent: false, error: 22 } : {});
    return EXIT_0;
  };
}

describe('a text of several bubbles', () => {
  it('is rows that follow each other, the first of which stands for all', () => {
    const rig = senderRig();
    rig.queue(ANNA, 'before');
    const [root, ...parts] = command(rig, 'c1');
    expect(root).toMatchObject({ key: 'command:c1', text: PARTS[0], bubbleIndex: 0, partOf: null, commandId: 'c1' });
    const shared = { partOf: root!.sendId, groupKey: 'command:c1', position: root!.position, threadId: ANNA };
    expect(parts).toMatchObject([
      { key: 'command:c1#1', text: PARTS[1], bubbleIndex: 1, ...shared },
      { key: 'command:c1#2', text: PARTS[2], bubbleIndex: 2, ...shared },
    ]);
  });

  it('is queued once under its key', () => {
    const rig = senderRig();
    const [root] = command(rig, 'c1');
    const now = rig.clock.now();
    const send = { key: 'command:c1', threadId: ANNA, text: TEXT, bubbleType: 'normal', now } as const;
    expect(queueText(rig.store, send, MAX)).toEqual(root);
    expect(rig.store.sends.openOf(ANNA)).toHaveLength(3);
  });

  it('is refused when its key is a part of another, or the other way round', () => {
    const rig = senderRig();
    command(rig, 'c1');
    expect(() => command(rig, 'c1#1')).toThrow(/another bubble has the key command:c1#1/);
    command(rig, 'c2#1');
    expect(() => rig.store.transaction(() => command(rig, 'c2'))).toThrow(/another bubble has the key command:c2#1/);
  });

  it('completes its command when the last is confirmed, with the guids of all', async () => {
    const rig = senderRig();
    const rows = command(rig, 'c1');
    const last = rig.mac.onRun;
    rig.mac.onRun = (call) => (call.text === PARTS[2] ? EXIT_0 : last(call));
    await rig.wake();
    expect(states(rig, rows)).toEqual(['confirmed', 'confirmed', 'accepted']);
    expect(rig.acks()).toEqual([]);
    rig.mac.write({ target: ANNA, text: PARTS[2]! });
    await rig.changed();
    expect(rig.texts()).toEqual(PARTS);
    const result = { message_guid: 'GUID-101', message_guids: ['GUID-101', 'GUID-102', 'GUID-103'] };
    expect(rig.acks()).toMatchObject([{ command_id: 'c1', status: 'completed', result }]);
    expect(rig.events()).toEqual(['sent:command:c1', 'sent:command:c1#1', 'sent:command:c1#2']);
  });

  it('ends where a part fails: those behind it are not sent, and the command says which it was', async () => {
    const rig = senderRig();
    const rows = command(rig, 'c1');
    const next = rig.queue(ANNA, 'next');
    refuse(rig, PARTS[1]!);
    await rig.wake();
    expect(rig.texts()).toEqual([PARTS[0], PARTS[1], 'next']);
    expect(states(rig, [...rows, next])).toEqual(['confirmed', 'failed', 'failed', 'confirmed']);
    expect(rig.row(rows[2]!)).toMatchObject({ errorCode: 'EDGE_SEND_PART', errorDetail: 'part 2 of 3 was not sent' });
    expect(rig.acks()).toMatchObject([
      { status: 'failed', error: expect.stringMatching(/^part 2 of 3: EDGE_SEND_REFUSED: message\.error 22: /) },
    ]);
    expect(rig.events()).toEqual(['sent:command:c1', 'failed:command:c1#1', 'failed:command:c1#2', `sent:${next.key}`]);
    expect(rig.told('sendFailed')).toHaveLength(2);
  });

  it('fails as a whole when its first part cannot be sent', async () => {
    const rig = senderRig();
    const rows = command(rig, 'c1');
    rig.mac.onRun = () => scriptError(-1728);
    await rig.wake();
    expect(states(rig, rows)).toEqual(['failed', 'failed', 'failed']);
    expect(rig.acks()).toMatchObject([{ status: 'failed', error: expect.stringMatching(/^part 1 of 3: EDGE_SEND_/) }]);
  });

  it('goes on past a part that nobody can vouch for, and its command fails at the end', async () => {
    const rig = senderRig();
    const rows = command(rig, 'c1');
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => (call.text === PARTS[0] ? EXIT_0 : write(call));
    await rig.wake();
    await rig.clock.advance(SETTLE_MS + 1000);
    await rig.clock.advance(SETTLE_MS + 1000);
    await settle();
    expect(states(rig, rows)).toEqual(['unknown', 'confirmed', 'confirmed']);
    expect(rig.acks()).toMatchObject([
      { status: 'failed', error: expect.stringMatching(/^part 1 of 3: unknown outcome/) },
    ]);
  });

  it('goes on with the right part after a crash', async () => {
    const rig = senderRig();
    const rows = command(rig, 'c1');
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => (call.text === PARTS[1] ? new Promise(() => {}) : write(call));
    await rig.wake();
    expect(states(rig, rows)).toEqual(['confirmed', 'sending', 'queued']);
    rig.mac.write({ target: ANNA, text: PARTS[1]! });
    rig.crash();
    await settle();
    await rig.clock.advance(1000);
    expect(states(rig, rows)).toEqual(['confirmed', 'confirmed', 'confirmed']);
    expect(rig.texts()).toEqual(PARTS);
    expect(rig.acks()).toMatchObject([{ status: 'completed' }]);
  });

  it('is not interleaved with another text of its thread, and lets other threads in between', async () => {
    const rig = senderRig();
    command(rig, 'c1');
    rig.queue(BEN, 'ben');
    command(rig, 'c2', 'one more');
    await rig.wake();
    const toAnna = rig.mac.calls.filter(({ target }) => target === ANNA).map(({ text }) => text);
    expect(toAnna).toEqual([...PARTS, 'one more']);
    expect(rig.texts().indexOf('ben')).toBeLessThan(4);
  });

  it('that is too long as a whole is refused by name, and so is one without text', async () => {
    const rig = senderRig();
    const rows = [...command(rig, 'c1', 'x'.repeat(MAX_TEXT_CHARS + 1)), ...command(rig, 'c2', ' '.repeat(MAX + 1))];
    expect(rows).toHaveLength(2);
    await rig.wake();
    expect(rig.acks()).toMatchObject([
      { error: 'EDGE_SEND_TEXT: the text has 200001 characters, the limit is 200000' },
      { error: 'EDGE_SEND_TEXT: the text is empty' },
    ]);
    expect(rig.mac.calls).toEqual([]);
  });
});
