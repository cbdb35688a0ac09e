import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { appleNs, ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { columnsOf, keeping, variants } from '../chatdb/support/schemaVariants.ts';
import { tempDir } from '../support/tempDir.ts';
import { ChangeRig } from './changeRig.ts';
import { ANNA } from './fakes.ts';

describe.each(variants())('the watch over chat.db of $title', (variant) => {
  it('tells an edit where messages can be edited, and is idle elsewhere', async () => {
    const rig = await new ChangeRig().start();
    const file = new ChatDbFile(join(tempDir(), 'chat.db'), keeping(variant, 'message.text'));
    const chatDb = new ChatDb({ path: file.path });
    onTestFinished(() => {
      chatDb.close();
      file.close();
    });
    const handle = file.handle(ANNA);
    const chat = file.chat(ANNA, [handle]);
    const date = appleNs(rig.clock.now());
    for (const guid of ['guid-1', 'guid-2']) file.message(guid, { date, text: 'seven', handle_id: handle }, chat);
    chatDb.open();
    rig.db = chatDb;
    for (const row of chatDb.rowsAfter(0, 9)) {
      rig.take(row);
      rig.store.inbound.markDone(row.guid, rig.clock.now());
    }
    const hasEdits = columnsOf(file.db, 'message').includes('date_edited');
    const editedAt = rig.clock.now() + 60_000;
    await rig.clock.advance(60_000);
    if (hasEdits) {
      const edit = 'UPDATE message SET date_edited = ?, text = ? WHERE guid = ?';
      file.db.prepare(edit).run(appleNs(editedAt), 'eight', 'guid-2');
    }
    await rig.changed(5_000);
    expect(rig.ids).toEqual(hasEdits ? [`edited:guid-2:${editedAt}`] : []);
    expect(rig.clock.pending).toBe(0);
  });
});
