import type { Tapback } from '../../../src/simulator/tapbacks.ts';
import { balloonText } from './balloons.ts';
import type { Kind } from './Kind.ts';
import { type Entry, post } from './Ledger.ts';
import { file, service } from './messages.ts';
import type { Stage } from './Stage.ts';

const STICKER = { name: 'Sticker.heic', mimeType: 'image/heic', uti: 'public.heic' };
const FORMS = ['part', 'balloon', 'bare'] as const;
const TAPBACKS: readonly Tapback[] = ['love', 'like', 'dislike', 'laugh', 'emphasize', 'question', 'emoji', 'sticker'];
const EMOJI = '🎉';

/** A message that somebody reacts to, and takes the reaction back from: in a conversation of two, or by oneself. */
function tapback(kind: Tapback, o: { form: (typeof FORMS)[number]; fromMe?: true }): Kind {
  return (stage) => {
    const from = stage.person(`${o.fromMe ? 'own ' : ''}tapback ${kind}`);
    let [target, added, removed] = ['', '', ''];
    const text = `this is to ${kind}`;
    const react = (isRemoved: boolean) =>
      stage.mac.people.react({
        from,
        target,
        kind,
        removed: isRemoved,
        ...o,
        ...(kind === 'emoji' && { emoji: EMOJI }),
      });
    const isTyped = stage.has('message.associated_message_type');
    const event = (guid: string, isRemoved: boolean): Entry => ({
      thread: from,
      event_type: isRemoved ? 'reaction_removed' : 'reaction_added',
      ...reaction(stage, { kind, target, guid, from, form: o.form, fromMe: o.fromMe ?? false }),
      ...(kind === 'sticker' && !isRemoved && { attachments: [file(stage, guid, 0, STICKER)] }),
    });
    return {
      steps: [
        () => {
          target = stage.mac.people.receive({ from, text });
        },
        () => {
          added = react(false);
        },
        () => {
          removed = react(true);
        },
      ],
      posts: () => [
        post(from, target, text),
        // Without its type a sticker is a picture with words.
        ...(kind === 'sticker' && !isTyped
          ? [
              post(from, added, `Reacted with a sticker to “${text}”`, {
                attachments: [file(stage, added, 0, STICKER)],
              }),
            ]
          : []),
      ],
      events: () => {
        if (o.fromMe && !isTyped) return []; // words of one's own
        if (kind === 'sticker' && !isTyped) return [event(removed, true)];
        return [event(added, false), event(removed, true)];
      },
    };
  };
}

/** Details of a tapback by its columns, or where they are missing by its words. */
function reaction(
  stage: Stage,
  o: { kind: string; target: string; guid: string; from: string; form: string; fromMe: boolean },
): Entry {
  const isTyped = stage.has('message.associated_message_type');
  const isAimed = stage.has('message.associated_message_guid');
  return {
    ...((!isTyped || isAimed) && { message_guid: o.target }),
    ...(isTyped && isAimed && o.form === 'part' && { part: 0 }),
    reaction: o.kind,
    ...(o.kind === 'emoji' && { emoji: EMOJI }),
    sender: o.fromMe ? 'me' : o.from,
    is_from_me: o.fromMe,
    reaction_guid: o.guid,
    ...(!isTyped && { from_text: true }),
  };
}

export const REACTIONS: readonly Kind[] = [
  ...TAPBACKS.map((kind, index) => tapback(kind, { form: FORMS[index % FORMS.length]! })),
  tapback('love', { form: 'part', fromMe: true }),
  (stage) => {
    const from = stage.person('a sticker on a message');
    let [target, placed] = ['', ''];
    const attachments = () => [file(stage, placed, 0, STICKER)];
    const isTyped = stage.has('message.associated_message_type');
    const form = 'part';
    return {
      steps: [
        () => {
          target = stage.mac.people.receive({ from, text: 'stick here' });
        },
        () => {
          placed = stage.mac.people.placeSticker({ from, target });
        },
      ],
      posts: () => [
        post(from, target, 'stick here'),
        ...(isTyped ? [] : [post(from, placed, '', { attachments: attachments() })]),
      ],
      events: () => {
        if (!isTyped) return [];
        const details = reaction(stage, { kind: 'sticker', target, guid: placed, from, form, fromMe: false });
        return [{ thread: from, event_type: 'reaction_added', ...details, attachments: attachments() }];
      },
    };
  },
  (stage) => {
    const from = stage.person('a vote');
    let [poll, vote] = ['', ''];
    const isTyped = stage.has('message.associated_message_type');
    const words = { named: '[Poll] Lunch? (Pizza / Sushi)', bare: '[Poll]' };
    return {
      steps: [
        () => {
          poll = stage.mac.balloons.app({
            kind: 'poll',
            from,
            poll: { question: 'Lunch?', options: ['Pizza', 'Sushi'] },
          });
        },
        () => {
          vote = stage.mac.people.vote({ from, target: poll, options: ['2'] });
        },
      ],
      posts: () => [
        post(from, poll, balloonText(stage, words)),
        ...(isTyped ? [] : [post(from, vote, balloonText(stage, { named: '[Poll]' }))]),
      ],
      events: () => {
        if (!isTyped) return [];
        const details = reaction(stage, {
          kind: 'poll_vote',
          target: poll,
          guid: vote,
          from,
          form: 'part',
          fromMe: false,
        });
        return [{ thread: from, event_type: 'reaction_added', ...details }];
      },
    };
  },
  (stage) => {
    const from = stage.person('reactions in words by SMS');
    let [target, loved, removed, reacted, said] = ['', '', '', '', ''];
    const sms = () => service(stage, 'SMS');
    const text = (words: string) => stage.mac.people.receive({ from, service: 'SMS', text: words });
    const event = (event_type: string, guid: string, name: string, more: Entry = {}): Entry => ({
      ...{ thread: from, event_type, message_guid: target, reaction: name, ...more },
      ...{ sender: from, is_from_me: false, reaction_guid: guid, from_text: true },
    });
    return {
      steps: [
        () => {
          target = text('see you at the station');
        },
        () => {
          loved = text('Loved “see you at the station”');
          reacted = text('Reacted 😂 to “see you at the sta…”');
          said = text('Liked “a film I saw”');
        },
        () => {
          removed = text('Removed a heart from “see you at the station”');
        },
      ],
      posts: () => [
        post(from, target, 'see you at the station', sms()),
        post(from, said, 'Liked “a film I saw”', sms()),
      ],
      events: () => [
        event('reaction_added', loved, 'love'),
        event('reaction_added', reacted, 'emoji', { emoji: '😂' }),
        event('reaction_removed', removed, 'love'),
      ],
    };
  },
];
