import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { raised, readsAgain } from './harness/conditions.ts';
import { faultTest } from './harness/faultTest.ts';

faultTest('D1 waits for a chat.db that is not there yet, and reads it from its first message', {
  startsAgent: false,
  async fault(run) {
    const { agent, mac } = run.rig;
    mac.chatDb.close();
    rmSync(mac.chatDbPath);
    agent.start();
    const { conditions, chatdb } = await raised(run, 'EDGE_CHATDB_MISSING');
    expect(conditions).toHaveLength(1);
    expect(chatdb.open).toBe(false);

    mac.chatDb.open();
    await run.both();
    await readsAgain(run);
  },
});

faultTest('D1 waits for the folder of chat.db, which is made by the first use of Messages', {
  startsAgent: false,
  async fault(run) {
    const { agent, mac } = run.rig;
    mac.chatDb.close();
    rmSync(dirname(mac.chatDbPath), { recursive: true });
    agent.start();
    await raised(run, 'EDGE_CHATDB_MISSING');

    mac.chatDb.open();
    await run.both();
    await readsAgain(run);
  },
});
