import { describe, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { Stage } from './kinds/Stage.ts';

const echo = (text: string) => `re ${text}`;
const MINUTE_MS = 60_000;
const SYSTEMS = [12, 13, 15, 26] as const;

async function echoing(macos: (typeof SYSTEMS)[number], onTestFinished: (end: () => Promise<void>) => void) {
  const stage = await Stage.open({ variant: { title: '', macos, without: [], extra: [] }, answer: echo });
  onTestFinished(() => stage.close());
  await stage.start();
  return stage;
}

/** The texts the backend was given of a thread, in their order. */
const textsOf = (stage: Stage, thread: string) =>
  stage.ledger.posts.filter(({ thread_id }) => thread_id === thread).map(({ filtered_text }) => filtered_text);

/** The answer is out, and the agent has seen its row. */
async function isAnswered(stage: Stage, thread: string, text: string): Promise<void> {
  const bubble = await waitFor(
    `an answer to ${text}`,
    () => stage.mac.messages.effects.find((effect) => effect.target.endsWith(thread) && effect.text === echo(text)),
    20_000,
  );
  await stage.ledger.event('message_sent', bubble.guid);
}

describe.concurrent('What comes again', () => {
  it.for(SYSTEMS)(
    'a message is answered once, under whatever ROWID and guid iCloud inserts it again, on macOS %i',
    {
      timeout: 120_000,
    },
    async (macos, { expect, onTestFinished }) => {
      const stage = await echoing(macos, onTestFinished);
      const { people, cloud } = stage.mac;
      const threads = ['another ROWID', 'another guid', 'beside it', 'edited'].map((title) => stage.person(title));
      const [moved, , , edited] = threads as [string, string, string, string];
      const guids = threads.map((from) => people.receive({ from, text: `hello from ${from}` }));
      const loved = people.receive({ from: moved, text: 'wait, what' });
      for (const from of threads) await isAnswered(stage, from, `hello from ${from}`);
      const tapback = people.react({ from: moved, target: loved, kind: 'love', fromMe: true });
      if (macos > 12) people.edit(guids[3]!, 'hello again');
      if (macos > 12) await stage.ledger.event('message_edited', guids[3]!);
      await stage.beat();

      const again = () => {
        cloud.reinsert(guids[0]!);
        guids[1] = cloud.reinsert(guids[1]!, { guid: `AGAIN-${stage.ledger.posts.length}` });
        cloud.copy(guids[2]!);
        guids[3] = cloud.reinsert(guids[3]!, { guid: `EDITED-${stage.ledger.posts.length}` });
        cloud.copy(tapback);
      };
      again(); // while it looks
      await stage.beat();
      await stage.rig.agent.kill('SIGKILL');
      again(); // while it does not
      await stage.start();
      await stage.beat();
      await stage.restart('SIGTERM');

      for (const from of threads) {
        const said = [`hello from ${from}`, ...(from === moved ? ['wait, what'] : [])];
        expect(textsOf(stage, from)).toEqual(said);
        expect(stage.rig.bubblesTo(from)).toEqual(said.map(echo));
      }
      const events = stage.ledger.events.filter(({ entry }) => !String(entry.event_type).startsWith('message_sent'));
      const told = events
        .filter(({ entry }) => entry.event_type !== 'message_delivered')
        .map((e) => [e.thread, e.entry.event_type]);
      expect(told.sort()).toEqual(
        [[moved, 'reaction_added'], ...(macos > 12 ? [[edited, 'message_edited']] : [])].sort(),
      );
    },
  );

  it.for(SYSTEMS)(
    'a block of old messages that trickles in is handed over as backfill in order of its dates, and not answered, on macOS %i',
    {
      timeout: 120_000,
    },
    async (macos, { expect, onTestFinished }) => {
      const stage = await echoing(macos, onTestFinished);
      const [ann, ben] = [stage.person('Ann'), stage.person('Ben')];
      stage.mac.people.receive({ from: ann, text: 'now' });
      await isAnswered(stage, ann, 'now');
      const block = stage.mac.cloud.backfillBlock({
        messages: 12,
        olderMs: 180 * MINUTE_MS,
        threads: [ann, ben],
        shuffled: true,
        everyMs: 150,
      });
      await waitFor('half of the block', () => stage.mac.chatDb.get('SELECT 1 FROM message WHERE guid = ?', block[6]!));
      stage.mac.people.receive({ from: ben, text: 'and now' });
      await isAnswered(stage, ben, 'and now');
      await waitFor('the block', () => block.every((guid) => stage.ledger.isPosted(guid)), 30_000);
      await stage.beat();

      const old = stage.ledger.posts.filter(({ message_guid }) => block.includes(String(message_guid)));
      expect(old.map(({ backfill }) => backfill)).toEqual(block.map(() => true));
      for (const thread of [ann, ben]) {
        const dates = old
          .filter(({ thread_id }) => thread_id === thread)
          .map((body) => String(body.original_timestamp));
        expect(dates).toHaveLength(6);
        expect(dates).toEqual([...dates].sort());
      }
      expect(stage.rig.bubblesTo(ann)).toEqual(['re now']);
      expect(stage.rig.bubblesTo(ben)).toEqual(['re and now']);
      expect(stage.ledger.posts.filter(({ backfill }) => backfill === true)).toHaveLength(12);
    },
  );

  it.for(SYSTEMS)(
    'a chat.db that is replaced, renumbered, restored or emptied tells nothing twice and hides nothing new, on macOS %i',
    {
      timeout: 120_000,
    },
    async (macos, { expect, onTestFinished }) => {
      const stage = await echoing(macos, onTestFinished);
      const { people, chatDb } = stage.mac;
      const from = stage.person('Ann');
      const said: string[] = [];
      const say = async (text: string) => {
        said.push(text);
        people.receive({ from, text });
        await isAnswered(stage, from, text);
      };
      await say('one');
      const first = String(stage.ledger.posts.at(-1)!.message_guid);
      const loved = () => people.react({ from, target: first, kind: 'love' });
      loved();
      await say('two');
      chatDb.replace('same-rows');
      await say('three');
      chatDb.replace('renumbered');
      await say('four');
      const backup = stage.rig.path('backup.db');
      chatDb.backup(backup);
      await say('five');
      chatDb.replace({ backup });
      await say('six');
      if (macos > 12) people.edit(first, 'number one');
      if (macos > 12) await stage.ledger.event('message_edited', first);

      await stage.rig.agent.kill('SIGKILL');
      chatDb.replace('renumbered');
      said.push('seven');
      people.receive({ from, text: 'seven' });
      await stage.start();
      await isAnswered(stage, from, 'seven');
      await stage.rig.agent.kill('SIGKILL');
      chatDb.replace('empty');
      said.push('eight');
      people.receive({ from, text: 'eight' });
      await stage.start();
      await isAnswered(stage, from, 'eight');
      await stage.beat();

      expect(textsOf(stage, from)).toEqual(said);
      expect(stage.rig.bubblesTo(from)).toEqual(said.map(echo));
      const others = stage.ledger.events.filter(
        ({ entry }) => !/^message_(sent|delivered)$/.test(String(entry.event_type)),
      );
      expect(others.map(({ entry }) => entry.event_type)).toEqual([
        'reaction_added',
        ...(macos > 12 ? ['message_edited'] : []),
      ]);
    },
  );
});
