import type { IncomingBalloon, IncomingLink } from '../../../src/simulator/Balloons.ts';
import type { Kind } from './Kind.ts';
import { post } from './Ledger.ts';
import type { Stage } from './Stage.ts';

const URL = 'https://example.com/menu';
const PREVIEW = { url: URL, title: 'The menu' };

/** A balloon of an app; `named`: with its words, `bare`: where the payload is missing. */
function app(title: string, incoming: Omit<IncomingBalloon, 'from'>, words: { named: string; bare?: string }): Kind {
  return (stage) => {
    const from = stage.person(title);
    let guid = '';
    return {
      steps: [
        () => {
          guid = stage.mac.balloons.app({ from, ...incoming });
        },
      ],
      posts: () => [post(from, guid, balloonText(stage, words))],
    };
  };
}

/** Without its bundle id a balloon is the one character that Messages keeps in its place. */
export function balloonText(stage: Stage, words: { named: string; bare?: string }): string {
  if (!stage.has('message.balloon_bundle_id')) return '\uFFFD';
  return stage.has('message.payload_data') ? words.named : (words.bare ?? words.named);
}

function link(title: string, incoming: Omit<IncomingLink, 'from' | 'preview'>): Kind {
  return (stage) => {
    const from = stage.person(title);
    let sent: ReturnType<Stage['mac']['balloons']['link']>;
    return {
      steps: [
        () => {
          sent = stage.mac.balloons.link({ from, preview: PREVIEW, pictures: pictures(stage), ...incoming });
        },
      ],
      posts: () => {
        const text = post(from, sent.guid, incoming.text ?? URL);
        const isKnown = stage.has('message.balloon_bundle_id', 'message.reply_to_guid');
        if (sent.preview === undefined || isKnown) return [text];
        return [text, post(from, sent.preview, URL)];
      },
    };
  };
}

/**
 * Pictures of the preview: where no column says that one is hidden, and none what it is called, it is an attachment if
 * it is there in time.
 */
function pictures(stage: Stage): number {
  return ['hide_attachment', 'transfer_name', 'filename'].some((column) => stage.has(`attachment.${column}`)) ? 1 : 0;
}

export const BALLOONS: readonly Kind[] = [
  link('a link in one row', {}),
  link('a link with words', { text: `look: ${URL}` }),
  link('a link and its preview in two rows', { form: 'two-rows' }),
  link('a link with words and its preview in two rows', { text: `look: ${URL} ok?`, form: 'two-rows' }),
  app('handwriting', { kind: 'handwriting' }, { named: '[Handwritten message]' }),
  app('Digital Touch', { kind: 'digital_touch' }, { named: '[Digital Touch message]' }),
  app(
    'Apple Cash',
    { kind: 'apple_cash', layout: { appName: 'Apple Cash', caption: '$5.00' } },
    { named: '[Apple Cash] $5.00', bare: '[Apple Cash]' },
  ),
  app(
    'a poll',
    { kind: 'poll', poll: { question: 'Lunch?', options: ['Pizza', 'Sushi'] } },
    { named: '[Poll] Lunch? (Pizza / Sushi)', bare: '[Poll]' },
  ),
  app(
    'a Check In',
    { kind: 'check_in', layout: { caption: 'Check In: Home' } },
    { named: '[Check In] Check In: Home', bare: '[Check In]' },
  ),
  app(
    'Find My',
    { kind: 'find_my', layout: { caption: 'Sharing for an hour' } },
    { named: '[Find My] Sharing for an hour', bare: '[Find My]' },
  ),
  app(
    'Fitness',
    { kind: 'fitness', layout: { caption: 'Ring closed' } },
    { named: '[Fitness] Ring closed', bare: '[Fitness]' },
  ),
  app('Photos', { kind: 'photos', layout: { caption: '3 Photos' } }, { named: '[Photos] 3 Photos', bare: '[Photos]' }),
  app(
    'a business form',
    { kind: 'business', layout: { caption: 'Choose a seat' } },
    { named: '[Business message] Choose a seat', bare: '[Business message]' },
  ),
  app(
    "another app's balloon",
    { kind: 'app', layout: { appName: 'Chess', summary: 'Your move' } },
    { named: '[Chess] Your move', bare: '[App message]' },
  ),
];
