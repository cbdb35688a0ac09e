import { waitFor } from '../../support/waitFor.ts';
import type { Kind } from './Kind.ts';
import { type Entry, post } from './Ledger.ts';
import type { Stage } from './Stage.ts';

const OWN_NUMBER = '+15550100000';
/** What the hub of the tests answers to this. */
export const ASKED = 'anybody there?';
export const ANSWER = 'yes';

/** The events of a bubble, as far as chat.db reports on it. */
export function bubbleEvents(
  stage: Stage,
  o: { thread: string; key: string; guid: string; read?: boolean },
): readonly Entry[] {
  const of = { thread: o.thread, key: o.key, message_guid: o.guid };
  const isRead = o.read === true && stage.has('message.date_read');
  const isDelivered = isRead || stage.has('message.is_delivered');
  // That it was read comes too late for it: by then message_sent was told.
  const isSent = stage.has('message.is_delivered') || stage.has('message.is_sent');
  return [
    { ...of, event_type: 'message_sent', status: isSent ? 'sent' : 'confirmed' },
    ...(isDelivered ? [{ ...of, event_type: 'message_delivered', status: 'delivered' }] : []),
    ...(isRead ? [{ ...of, event_type: 'message_delivered', status: 'read' }] : []),
  ];
}

export const OWN: readonly Kind[] = [
  (stage) => {
    const from = stage.person('an answer, delivered and read');
    let asked = '';
    const bubble = () => stage.mac.messages.effects.find(({ target }) => target.endsWith(from))!.guid;
    return {
      steps: [
        () => {
          asked = stage.mac.people.receive({ from, text: ASKED });
        },
        async () => {
          await waitFor('the answer', () => stage.rig.bubblesTo(from).length > 0);
          await stage.ledger.event('message_sent', bubble());
          if (stage.has('message.is_delivered')) await stage.ledger.event('message_delivered', bubble());
          stage.mac.people.readByThem(bubble());
        },
        async () => {
          if (stage.has('message.date_read')) await stage.ledger.event('message_delivered', bubble(), 2);
        },
      ],
      posts: () => [post(from, asked, ASKED)],
      events: () => bubbleEvents(stage, { thread: from, key: `reply:${asked}:0`, guid: bubble(), read: true }),
    };
  },
  (stage) => {
    const from = stage.person('written by oneself on another device');
    let turned = '';
    return {
      steps: [
        () => {
          stage.mac.people.receive({ from, fromMe: true, text: 'on my way' });
          turned = stage.mac.people.receive({ from, fromMe: true, text: 'stuck', fromMeMs: 100, joinMs: 'never' });
        },
        () => stage.mac.people.alsoIn(turned, { from }),
      ],
    };
  },
  (stage) => {
    const from = stage.person('Send Later');
    const at = Date.now() + 3_600_000;
    const later = () => void stage.mac.own.sendLater({ to: from, text: 'good morning', at });
    return { steps: stage.mac.chatDb.macos >= 15 ? [later] : [] };
  },
  (stage) => {
    const thread = stage.thread(OWN_NUMBER, 'a conversation with oneself');
    let note: { guid: string; copy?: string };
    let command = '';
    const bubble = () => stage.mac.messages.effects.find(({ text }) => text === 'a reminder')!.guid;
    // What comes back of a bubble is known by one's own number.
    const isKnown = stage.has('message.destination_caller_id');
    const copies = () =>
      stage.mac.chatDb.all<{ guid: string }>(
        'SELECT guid FROM message WHERE is_from_me = 0 AND guid <> ? AND handle_id IN (SELECT ROWID FROM handle WHERE id = ?)',
        note.copy!,
        OWN_NUMBER,
      );
    return {
      steps: [
        () => {
          stage.mac.own.toSelf({ address: OWN_NUMBER, text: 'milk', copyMs: 'never' });
          note = stage.mac.own.toSelf({ address: OWN_NUMBER, text: 'bread', copyMs: 30 });
        },
        async () => {
          stage.mac.messages.behave({ selfCopyMs: 300, only: { target: OWN_NUMBER } });
          command = await stage.rig.command('send_message_now', { thread_id: OWN_NUMBER, text: 'a reminder' });
        },
        async () => {
          await waitFor('the reminder', () => stage.rig.bubblesTo(OWN_NUMBER).length > 0);
          await stage.ledger.event('message_sent', bubble());
        },
      ],
      posts: () => [
        post(thread, note.copy!, 'bread'),
        ...(isKnown ? [] : copies().map(({ guid }) => post(thread, guid, 'a reminder'))),
      ],
      events: () => bubbleEvents(stage, { thread, key: `command:${command}`, guid: bubble() }),
    };
  },
];
