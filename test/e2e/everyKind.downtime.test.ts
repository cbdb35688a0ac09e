import { describe, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { editEvent, unsentEvent } from './kinds/changes.ts';
import { expected, type Scene } from './kinds/Kind.ts';
import { post } from './kinds/Ledger.ts';
import { file } from './kinds/messages.ts';
import { bubbleEvents } from './kinds/own.ts';
import { Stage } from './kinds/Stage.ts';

const PARTS = [
  { text: 'first', part: 0 },
  { text: 'second', part: 1 },
];
const PHOTO = { name: 'IMG_0001.heic', mimeType: 'image/heic', downloadMs: 'never' } as const;
const GROUP = 'chat8315550120';

/** What somebody does to messages that the backend has, and what is new, in two steps: before and during a downtime. */
function changesOf(stage: Stage): { before(): void; answered(): boolean; during(): void; scene: Scene } {
  const { people, groups, chatDb } = stage.mac;
  const [edited, unsent, partly, reacted, fetched, asked, late, gone, ann] = [
    ...[
      'edited',
      'unsent',
      'unsent in part',
      'reacted to',
      'fetched',
      'answered and read',
      'edited before it was seen',
    ],
    ...['unsent before it was seen', 'Ann'],
  ].map((title) => stage.person(title)) as [string, string, string, string, string, string, string, string, string];
  const group = { id: stage.thread(GROUP, 'renamed'), participants: [ann] };
  const sent: string[] = [];
  const came: string[] = [];
  let [loved, name] = ['', ''];
  const bubble = () => stage.mac.messages.effects[0]!.guid;
  return {
    before() {
      stage.mac.messages.behave({ deliveredMs: 'never' });
      sent.push(
        people.receive({ from: edited, text: 'at seven' }),
        people.receive({ from: unsent, text: 'never mind' }),
        people.receive({ from: partly, segments: PARTS }),
        people.receive({ from: reacted, text: 'we won' }),
        people.receive({ from: fetched, text: 'look', attachments: [PHOTO] }),
        people.receive({ from: asked, text: 'there?' }),
        people.receive({ from: ann, text: 'hi all', group }),
      );
    },
    answered: () => stage.mac.messages.effects.length > 0 && stage.ledger.events.some((e) => e.thread === asked),
    during() {
      people.edit(sent[0]!, 'at eight');
      people.edit(sent[0]!, 'at nine');
      people.unsend(sent[1]!);
      people.unsend(sent[2]!, { part: 1 });
      loved = people.react({ from: reacted, target: sent[3]!, kind: 'love' });
      chatDb.run('UPDATE attachment SET transfer_state = 5');
      people.delivered(bubble());
      people.readByThem(bubble());
      name = groups.change({ from: ann, group, change: 'renamed', name: 'Us' });
      came.push(people.receive({ from: late, text: 'draft' }), people.receive({ from: gone, text: 'oops' }));
      people.edit(came[0]!, 'final');
      people.unsend(came[1]!);
    },
    scene: {
      steps: [],
      posts: () => [
        post(edited, sent[0]!, 'at seven'),
        post(unsent, sent[1]!, 'never mind'),
        post(partly, sent[2]!, 'firstsecond'),
        post(reacted, sent[3]!, 'we won'),
        post(fetched, sent[4]!, 'look', { attachments: [file(stage, sent[4]!, 0, PHOTO)] }),
        post(asked, sent[5]!, 'there?'),
        post(GROUP, sent[6]!, 'hi all', { sender: ann, is_group: true }),
        post(late, came[0]!, 'final'),
      ],
      events: () => {
        const of = { thread: GROUP, event_type: 'group_changed', actor: ann, is_group: true, is_from_me: false };
        return [
          editEvent(edited, sent[0]!, 'at nine', [{ part: 0, versions: ['at seven', 'at eight', 'at nine'] }]),
          editEvent(late, came[0]!, 'final', [{ part: 0, versions: ['draft', 'final'] }]),
          unsentEvent(unsent, sent[1]!, [0], true),
          unsentEvent(partly, sent[2]!, [1], false),
          {
            ...{ thread: reacted, event_type: 'reaction_added', message_guid: sent[3], part: 0, reaction: 'love' },
            ...{ sender: reacted, is_from_me: false, reaction_guid: loved },
          },
          ...bubbleEvents(stage, { thread: asked, key: `reply:${sent[5]}:0`, guid: bubble(), read: true }),
          { ...of, change: 'created', row_guid: sent[6] },
          { ...of, change: 'renamed', name: 'Us', row_guid: name },
          { ...unsentEvent(gone, came[1]!, [0], true), handed_over: false },
        ];
      },
    },
  };
}

describe.concurrent('What happens while the agent is down', () => {
  it.for([13, 15, 26] as const)(
    'is told once when it is back, on macOS %i',
    { timeout: 120_000 },
    async (macos, { expect, onTestFinished }) => {
      const variant = { title: '', macos, without: [], extra: [] };
      const stage = await Stage.open({
        variant,
        answer: (text) => (text === 'there?' ? 'yes' : undefined),
        config: { imessage: { attachment_wait_seconds: 60 } },
      });
      onTestFinished(() => stage.close());
      await stage.start();
      const changes = changesOf(stage);
      changes.before();
      await stage.beat();
      await waitFor('the answer', changes.answered);
      await stage.rig.agent.kill('SIGKILL');
      changes.during();
      await stage.mac.settled();

      await stage.start();
      await stage.beat();
      const whole = () => expected(stage, [changes.scene]);
      await stage.toldAsMuchAs(whole);
      expect(stage.told()).toEqual(whole());

      for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        await stage.restart(signal);
      }
      expect(stage.told()).toEqual(whole());
    },
  );
});
