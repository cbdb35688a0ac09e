import { describe, expect, it, onTestFinished } from 'vitest';
import { SimulatorProcess } from '../../src/simulator/SimulatorProcess.ts';
import type { SchemaVariant } from '../../src/simulator/schemaVariant.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { query, send } from './simulatedMac.ts';

async function started(o: { delays?: object; schema?: SchemaVariant } = {}) {
  const mac = await SimulatorProcess.start({ dir: tempDir(), macos: 15, ...o });
  onTestFinished(() => mac.close());
  return mac;
}

const GUIDS = 'SELECT guid FROM message ORDER BY ROWID';

describe('a simulated Mac in a process of its own', () => {
  it('receives and sends, and reports each effect', async () => {
    const mac = await started();
    const guid = await mac.receive({ from: '+15550100001', text: 'hello' });
    expect((await send(mac.paths, { text: 'hi' })).code).toBe(0);
    await mac.order('settled', {});
    const effect = await waitFor('the effect', () => mac.effects[0]);
    expect(effect).toMatchObject({ text: 'hi', form: 'participant' });
    expect(query(mac.paths.chatDbPath, GUIDS)).toEqual([{ guid }, { guid: effect.guid }]);
    expect((await mac.order('requests', {})).requests).toHaveLength(1);
  });

  it('calls hooks in the process that gave them, and waits for them', async () => {
    const mac = await started();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const effectsAfter: number[] = [];
    await mac.behave({ beforeEffect: () => held, afterEffect: () => void effectsAfter.push(mac.effects.length) });
    const sending = send(mac.paths);
    await waitFor('the request', async () => (await mac.order('requests', {})).requests.length === 1);
    // Two round trips, in which an effect that did not wait would have been reported.
    await mac.order('settled', {});
    await mac.order('settled', {});
    expect(mac.effects).toEqual([]);
    release();
    expect((await sending).code).toBe(0);
    expect(effectsAfter).toEqual([1]);
  });

  it('takes every order that the Mac itself knows', async () => {
    const mac = await started({ delays: { joinMs: 1 } });
    await mac.order('history', { history: { messages: 10, until: Date.now() } });
    const { guids } = await mac.order('receiveMany', { messages: [{ from: '+15550100001', text: 'x' }] });
    await mac.order('react', { reaction: { from: '+15550100001', target: guids[0]!, kind: 'like' } });
    await mac.order('edit', { guid: guids[0]!, text: 'y' });
    await mac.order('read', { guid: guids[0]! });
    await mac.order('unsend', { guid: guids[0]! });
    await mac.order('settled', {});
    expect((await mac.order('checkpoint', {})).done).toBe(true);
    expect((await mac.order('recreateWal', {})).done).toBe(true);
    await mac.order('backup', { path: `${mac.paths.chatDbPath}.backup` });
    await mac.order('remove', { guid: guids[0]! });
    await mac.order('replace', { replacement: 'renumbered' });
    expect(query(mac.paths.chatDbPath, GUIDS)).toHaveLength(11);
    await mac.order('replace', { replacement: { backup: `${mac.paths.chatDbPath}.backup` } });
    expect(query(mac.paths.chatDbPath, GUIDS)).toHaveLength(12);

    await mac.order('quit', {});
    expect((await send(mac.paths)).stderr).toContain('(-600)');
    await mac.order('launch', {});
    await mac.order('automation', { state: 'denied' });
    expect((await send(mac.paths)).stderr).toContain('(-1743)');
    await mac.order('automation', { state: 'granted' });
    await mac.behave({ fail: -1728, times: 'always' });
    expect((await send(mac.paths)).stderr).toContain('(-1728)');
    await mac.order('behaveWell', {});
    expect((await send(mac.paths)).code).toBe(0);
  });

  it('takes an order for each thing that can happen to a chat.db', async () => {
    const mac = await started({ schema: { without: ['message.is_spam'] } });
    const from = '+15550100001';
    const group = { id: 'chat831', name: 'Trip' };
    const guid = await mac.receive({ from, text: 'helo' });
    await mac.order('settled', {});
    await mac.order('edit', { guid, text: 'hello', how: { part: 0 } });
    const answers = [
      await mac.order('react', { reaction: { from, target: guid, kind: 'love' } }),
      await mac.order('placeSticker', { sticker: { from, target: guid } }),
      await mac.order('app', { balloon: { from, kind: 'poll', poll: { question: 'Lunch?', options: ['Pizza'] } } }),
      await mac.order('vote', { vote: { from, target: guid, options: ['1'] } }),
      await mac.order('createGroup', { from, group }),
      await mac.order('change', { change: { from, group, change: 'photo_changed' } }),
      await mac.order('sendLater', { to: from, text: 'later', at: Date.now() + 60_000 }),
      await mac.order('toSelf', { address: from, text: 'note', copyMs: 'never' }),
      await mac.order('copy', { guid, as: 'COPY' }),
    ];
    const link = await mac.order('link', { link: { from, preview: { url: 'https://example.com' }, form: 'two-rows' } });
    const late = await mac.order('copyFromSelf', { from, text: 'note', afterMs: 5 });
    const { guids } = await mac.order('backfillBlock', { block: { messages: 3 } });
    expect(await mac.order('reinsert', { guid: 'COPY', as: 'AGAIN' })).toMatchObject({ guid: 'AGAIN' });
    await mac.order('unsend', { guid, part: 0 });
    await mac.order('delivered', { guid });
    await mac.order('readByThem', { guid });
    await mac.order('alsoIn', { guid, chat: { from, group: { id: 'chat832' } } });
    await mac.order('changePrefix', { identifier: from, prefix: 'any' });
    await mac.order('settled', {});
    const written = answers.map((answer) => answer.guid!).filter((one) => one !== 'COPY');
    const all = [guid, ...written, 'AGAIN', link.guid, link.preview!, late.guid, ...guids];
    expect(query(mac.paths.chatDbPath, GUIDS).map((row) => row.guid)).toEqual(expect.arrayContaining(all));
    expect(query(mac.paths.chatDbPath, GUIDS)).toHaveLength(all.length);
    const columns = query(mac.paths.chatDbPath, 'PRAGMA table_info(message)').map(({ name }) => name);
    expect(columns).not.toContain('is_spam');
    expect(query(mac.paths.chatDbPath, 'SELECT guid FROM chat ORDER BY guid')).toEqual([
      { guid: `any;-;${from}` },
      { guid: 'iMessage;+;chat831' },
      { guid: 'iMessage;+;chat832' },
    ]);
  });

  it('answers what it cannot do with the reason', async () => {
    const mac = await started();
    await expect(mac.order('edit', { guid: 'NOBODY', text: 'x' })).rejects.toThrow('no message NOBODY');
    await expect(mac.order('dance' as 'quit', {})).rejects.toThrow('unknown order "dance"');
  });

  it('leaves what is written when it is killed, and no osascript hanging', async () => {
    const mac = await started({ delays: { joinMs: 600_000 } });
    const guid = await mac.receive({ from: '+15550100001', text: 'hello' });
    await mac.behave({ hang: 'before-effect' });
    const sending = send(mac.paths);
    await waitFor('the request', async () => (await mac.order('requests', {})).requests.length === 1);
    await mac.kill();
    expect((await sending).stderr).toContain('(-609)');
    expect((await send(mac.paths)).stderr).toContain('(-600)');
    expect(query(mac.paths.chatDbPath, GUIDS)).toEqual([{ guid }]);
    expect(query(mac.paths.chatDbPath, 'SELECT * FROM chat_message_join')).toEqual([]);
    await expect(mac.order('quit', {})).rejects.toThrow('has ended');
  });

  it('ends when it is told to close', async () => {
    const mac = await started();
    await mac.order('close', {});
    await waitFor('its end', () => {
      try {
        return !process.kill(mac.pid, 0);
      } catch {
        return true;
      }
    });
  });
});
