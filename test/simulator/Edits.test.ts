import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { readBplist } from './readBplist.ts';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';
const COLUMNS = `SELECT text, attributedBody AS body, CAST(date_edited AS TEXT) AS edited, date_retracted, is_empty,
  part_count, message_summary_info AS summary FROM message`;

interface Summary {
  otr: Record<string, { lo: number; le: number }>;
  ec?: Record<string, { t: Uint8Array; d: number }[]>;
  ep?: number[];
  rp?: number[];
}

function state(path: string) {
  const [row] = query<{
    text: string | null;
    body: Uint8Array | null;
    edited: string;
    date_retracted: number;
    is_empty: number;
    part_count: number;
    summary: Uint8Array | null;
  }>(path, COLUMNS);
  const summary = row!.summary === null ? undefined : (readBplist(row!.summary) as Summary);
  return { ...row!, body: row!.body && decodeBody(row!.body).text, summary };
}

function versions(summary: Summary | undefined, part: number) {
  return summary?.ec?.[part]?.map(({ t, d }) => ({
    text: decodeBody(t).text,
    at: Math.round(d * 1000 + 978_307_200_000),
  }));
}

describe('an edit', () => {
  it.each([13, 15, 26] as const)(
    'keeps the row and puts every version into the summary, on macOS %i',
    async (macos) => {
      const mac = await simulatedMac({ macos });
      const guid = mac.people.receive({ from, text: 'helo', dateAt: Date.UTC(2026, 0, 1) });
      await mac.settled();
      mac.people.edit(guid, 'hello', { at: Date.UTC(2026, 0, 1, 0, 1) });
      mac.people.edit(guid, 'hello 🦊', { at: Date.UTC(2026, 0, 1, 0, 2) });
      const { text, body, edited, date_retracted, summary } = state(mac.chatDbPath);
      expect({ text, body, date_retracted }).toEqual({ text: null, body: 'hello 🦊', date_retracted: 0 });
      expect(Number(edited) / 1e6 + 978_307_200_000).toBe(Date.UTC(2026, 0, 1, 0, 2));
      expect(versions(summary, 0)).toEqual([
        { text: 'helo', at: Date.UTC(2026, 0, 1) },
        { text: 'hello', at: Date.UTC(2026, 0, 1, 0, 1) },
        { text: 'hello 🦊', at: Date.UTC(2026, 0, 1, 0, 2) },
      ]);
      expect(summary).toMatchObject({ ep: [0], otr: { 0: { lo: 0, le: 4 } } });
      expect(readRows(mac)).toMatchObject([{ guid, text: 'hello 🦊', editedAt: Date.UTC(2026, 0, 1, 0, 2) }]);
    },
  );

  it('is of one part, the first that is no attachment unless it says which', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'capton', attachments: [{ name: 'a.heic' }] });
    await mac.settled();
    mac.people.edit(guid, 'caption');
    const { body, summary } = state(mac.chatDbPath);
    expect(body).toBe('\uFFFCcaption');
    expect(summary).toMatchObject({ ep: [1], otr: { 0: { lo: 0, le: 1 }, 1: { lo: 1, le: 6 } } });
    expect(readRows(mac)[0]!.body?.attachments).toHaveLength(1);
  });

  it('can show its date first and its text in a later commit', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'one' });
    mac.people.edit(guid, 'two', { bodyMs: 20 });
    expect(state(mac.chatDbPath)).toMatchObject({ body: 'one', summary: undefined });
    expect(Number(state(mac.chatDbPath).edited)).toBeGreaterThan(0);
    await mac.settled();
    expect(state(mac.chatDbPath).body).toBe('two');
  });

  it('whose text comes late does not write over what came after it', async () => {
    const mac = await simulatedMac();
    const edited = mac.people.receive({ from, text: 'one' });
    mac.people.edit(edited, 'two', { bodyMs: 20 });
    mac.people.edit(edited, 'three');
    await mac.settled();
    expect(state(mac.chatDbPath).body).toBe('three');
    mac.people.edit(edited, 'four', { bodyMs: 20 });
    mac.people.unsend(edited);
    await mac.settled();
    expect(state(mac.chatDbPath)).toMatchObject({ body: null, is_empty: 1 });
  });

  it('is refused the sixth time, and before macOS 13', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'zero' });
    for (let count = 1; count <= 5; count++) mac.people.edit(guid, `${count}`);
    expect(() => mac.people.edit(guid, '6')).toThrow('5 times');
    const old = await simulatedMac({ macos: 12 });
    const plain = old.people.receive({ from, text: 'zero' });
    expect(() => old.people.edit(plain, 'one')).toThrow('no edits');
  });
});

describe('an unsend', () => {
  it('leaves an empty row with the parts that are gone', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'oops' });
    await mac.settled();
    mac.people.unsend(guid);
    const { edited, summary, ...rest } = state(mac.chatDbPath);
    expect(rest).toEqual({ text: null, body: null, date_retracted: 0, is_empty: 1, part_count: 0 });
    expect(Number(edited)).toBeGreaterThan(0);
    expect(summary).toMatchObject({ rp: [0], otr: { 0: { lo: 0, le: 4 } } });
    expect(readRows(mac)).toMatchObject([{ guid, isEmpty: true, text: '' }]);
  });

  it('can be of one part, and then of the rest', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'caption', attachments: [{ name: 'a.heic' }] });
    mac.people.unsend(guid, { part: 0 });
    expect(state(mac.chatDbPath)).toMatchObject({ body: 'caption', is_empty: 0, part_count: 1, summary: { rp: [0] } });
    mac.people.unsend(guid, { part: 1 });
    expect(state(mac.chatDbPath)).toMatchObject({ body: null, is_empty: 1, part_count: 0, summary: { rp: [0, 1] } });
  });
});
