import type { Incoming, IncomingAttachment } from '../../../src/simulator/Incoming.ts';
import type { Kind } from './Kind.ts';
import { type Entry, post } from './Ledger.ts';
import type { Stage } from './Stage.ts';

/** A message of one row and what is posted of it. */
function message(
  title: string,
  incoming: Omit<Incoming, 'from'>,
  expect: (stage: Stage, guid: string, from: string) => { text: string; more?: Entry; late?: string | undefined },
): Kind {
  return (stage) => {
    const from = stage.person(title);
    let guid = '';
    const told = () => expect(stage, guid, from);
    return {
      steps: [
        async () => {
          guid = stage.mac.people.receive({ from, ...incoming });
          if (incoming.bodyMs !== 'asked' && incoming.audio?.transcriptMs !== 'asked') return;
          // The agent looks once more 1 s and 3 s after it took the row in.
          await stage.posted(guid);
          stage.mac.people.fill(guid);
        },
      ],
      posts: () => [post(from, guid, told().text, told().more)],
      events: () => {
        const { late } = told();
        return late === undefined ? [] : [lateEvent(from, guid, late)];
      },
    };
  };
}

/** The text of a message that changed in its first seconds. */
function lateEvent(thread: string, guid: string, text: string): Entry {
  const rest = { history: [], sender: thread, is_from_me: false, was_redacted: false, redacted_fields: [], late: true };
  return { thread, event_type: 'message_edited', message_guid: guid, text, ...rest };
}

/** An attachment as the wire has it, as far as this chat.db knows it. */
export function file(stage: Stage, guid: string, index: number, o: IncomingAttachment & { pending?: true }): Entry {
  const isNamed = stage.has('attachment.transfer_name') || stage.has('attachment.filename');
  const name = isNamed ? o.name : '';
  const ends: Record<string, string> = {
    heic: 'image/heic',
    pdf: 'application/pdf',
    caf: 'audio/x-caf',
    'coreaudio-format': 'audio/x-caf',
  };
  const byEnd = ends[name.slice(name.lastIndexOf('.') + 1)];
  const byUti = stage.has('attachment.uti') && o.uti ? ends[o.uti.split('.').at(-1)!] : undefined;
  const stored = stage.has('attachment.mime_type') ? o.mimeType : undefined;
  return {
    guid: `at_${index}_${guid}`,
    name,
    mime_type: stored ?? byUti ?? byEnd ?? 'application/octet-stream',
    size_bytes: stage.has('attachment.total_bytes') ? (o.sizeBytes ?? 24) : 0,
    ...(o.pending && stage.has('attachment.transfer_state') && { pending: true }),
  };
}

const PHOTO = { name: 'IMG_0001.heic', mimeType: 'image/heic', uti: 'public.heic' };
const PLAN = { name: 'plan.pdf', mimeType: null, uti: 'com.adobe.pdf', sizeBytes: 120_000 };
const NOTE = { name: 'Audio Message.caf', mimeType: 'audio/x-caf', uti: 'com.apple.coreaudio-format' };

export const MESSAGES: readonly Kind[] = [
  message('a text', { text: 'hello' }, () => ({ text: 'hello' })),
  message('a text that comes late', { text: 'all of it', bodyMs: 120 }, () => ({ text: 'all of it' })),
  message('a text whose sender comes late', { text: 'guess who', handleMs: 100 }, () => ({ text: 'guess who' })),
  message('a subject line', { text: 'When?', columns: { subject: 'Trip' } }, (stage) => ({
    text: stage.has('message.subject') ? 'Trip\nWhen?' : 'When?',
  })),
  message('a body that is damaged', { text: 'readable', body: 'BAtzdHJlYW10', textColumn: true }, (stage) => ({
    text: stage.has('message.text') ? 'readable' : '',
    more: stage.has('message.attributedBody') ? { decode_error: 'damaged' } : {},
  })),
  message('photos and files', { text: 'look', attachments: [PHOTO, PLAN] }, (stage, guid) => ({
    text: 'look',
    more: { attachments: [file(stage, guid, 0, PHOTO), file(stage, guid, 1, PLAN)] },
  })),
  message('a photo alone', { attachments: [PHOTO] }, (stage, guid) => ({
    text: '',
    more: { attachments: [file(stage, guid, 0, PHOTO)] },
  })),
  message('a download', { text: 'wait', attachments: [{ ...PHOTO, downloadMs: 400 }] }, (stage, guid) => ({
    text: 'wait',
    more: { attachments: [file(stage, guid, 0, PHOTO)] },
  })),
  message(
    'a download that does not end',
    { text: 'no wait', attachments: [PHOTO, { ...PLAN, downloadMs: 'never' }] },
    (stage, guid) => ({
      text: 'no wait',
      more: { attachments: [file(stage, guid, 0, PHOTO), file(stage, guid, 1, { ...PLAN, pending: true })] },
    }),
  ),
  message('a download that failed', { attachments: [{ ...PHOTO, transferState: 6 }] }, (stage, guid) => ({
    text: '',
    more: { attachments: [file(stage, guid, 0, PHOTO)] },
  })),
  message(
    'a mention',
    { segments: [{ text: 'ask ' }, { text: 'Ann', mention: '+15550100099' }, { text: ' about it' }] },
    () => ({ text: 'ask Ann about it' }),
  ),
  message(
    'styles and effects',
    {
      segments: [{ text: 'so ', attributes: { __kIMTextBoldAttributeName: 1 } }, { text: 'good' }],
      columns: { expressive_send_style_id: 'com.apple.messages.effect.CKConfettiEffect' },
    },
    () => ({ text: 'so good' }),
  ),
  message('a voice message', { audio: { transcript: 'call me back' } }, (stage, guid) => ({
    text: stage.has('message.is_audio_message', 'message.attributedBody') ? 'call me back' : '',
    more: { attachments: [file(stage, guid, 0, NOTE)] },
  })),
  message('a voice message without a transcript', { audio: {} }, (stage, guid) => ({
    text: '',
    more: { attachments: [file(stage, guid, 0, NOTE)] },
  })),
  message('SMS', { text: 'by SMS', service: 'SMS' }, (stage) => ({ text: 'by SMS', more: service(stage, 'SMS') })),
  message('RCS', { text: 'by RCS', service: 'RCS' }, (stage) => ({ text: 'by RCS', more: service(stage, 'RCS') })),
  message('by satellite', { text: 'from the hut', satellite: true }, () => ({ text: 'from the hut' })),
  (stage) => {
    const from = stage.person('an inline reply');
    let [asked, answer] = ['', ''];
    const replyTo = () => (stage.has('message.thread_originator_guid') ? { reply_to_guid: asked } : {});
    return {
      steps: [
        () => {
          asked = stage.mac.people.receive({ from, text: 'Friday?' });
          answer = stage.mac.people.receive({ from, text: 'or Saturday', replyTo: asked });
        },
      ],
      posts: () => [post(from, asked, 'Friday?'), post(from, answer, 'or Saturday', replyTo())],
    };
  },
  ...['urn:biz:5550100', '22000', 'ann@example.com'].map(
    (id): Kind =>
      (stage) => {
        const from = stage.thread(id, `of ${id}`);
        const by = id === '22000' ? 'SMS' : 'iMessage';
        let guid = '';
        return {
          steps: [
            () => {
              guid = stage.mac.people.receive({ from, text: 'your parcel', service: by });
            },
          ],
          posts: () => [post(from, guid, 'your parcel', by === 'SMS' ? service(stage, 'SMS') : {})],
        };
      },
  ),
  (stage) => {
    const from = stage.person('one person by three services');
    const guids: string[] = [];
    const services = ['iMessage', 'SMS', 'RCS'];
    return {
      steps: services.map((by) => () => void guids.push(stage.mac.people.receive({ from, text: by, service: by }))),
      posts: () =>
        guids.map((guid, index) => {
          const by = services[index]!;
          // macOS 26 keeps one chat for all services of a person.
          return post(from, guid, by, service(stage, by, stage.mac.chatDb.macos === 26 ? 'iMessage' : by));
        }),
    };
  },
  (stage) => {
    const from = stage.person('a message in two chats');
    const group = { id: 'chat8315550111', participants: [from] };
    stage.thread(group.id, 'the second chat of a message');
    let guid = '';
    return {
      steps: [
        () => {
          guid = stage.mac.people.receive({ from, text: 'once' });
        },
        () => stage.mac.people.alsoIn(guid, { from, group }),
      ],
      posts: () => [post(from, guid, 'once')],
    };
  },
];

/** `ofChat`: what the chat was first used for. Without either column nothing says that it was no iMessage. */
export function service(stage: Stage, name: string, ofChat = name): Entry {
  if (stage.has('message.service')) return { service: name };
  return { service: stage.has('chat.service_name') ? ofChat : 'iMessage' };
}

/** Played alone: they go by when the agent reads a row, which a test that is busy with others would miss. */
export const LATE_TEXTS: readonly Kind[] = [
  message('a text that is cut at first', { text: 'the whole story', cutTo: 9, bodyMs: 'asked' }, () => ({
    text: 'the whole',
    late: 'the whole story',
  })),
  message(
    'a voice message whose transcript comes late',
    { audio: { transcript: 'later', transcriptMs: 'asked' } },
    (stage, guid) => ({
      text: '',
      more: { attachments: [file(stage, guid, 0, NOTE)] },
      late: stage.has('message.is_audio_message', 'message.attributedBody') ? 'later' : undefined,
    }),
  ),
];
