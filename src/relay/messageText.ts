import type { Balloon, BalloonKind } from '../chatdb/Balloon.ts';
import type { ChatRow } from '../chatdb/types.ts';

/** Stands in the text where an attachment is shown. */
const ATTACHMENT_PLACEHOLDER = '\ufffc';
/** Stands for the whole text where an app draws the balloon; in other rows it is a character somebody's program lost. */
const BALLOON_PLACEHOLDER = '\ufffd';
/** Where Messages shows the name of who is told of a workout or a ring closed (imessage-exporter). */
const RECEIVER_TOKEN = '$(kIMTranscriptPluginBreadcrumbTextReceiverIdentifier)';

/** What a balloon is called where its words alone would not say it. */
const LABELS: Record<Exclude<BalloonKind, 'link'>, string> = {
  handwriting: 'Handwritten message',
  digital_touch: 'Digital Touch message',
  apple_cash: 'Apple Cash',
  poll: 'Poll',
  check_in: 'Check In',
  find_my: 'Find My',
  fitness: 'Fitness',
  photos: 'Photos',
  business: 'Business message',
  app: 'App message',
};

/**
 * What a message says, in words alone: the subject above the text; of an app's balloon what it was (`[Poll] Lunch?`); of
 * a voice message the transcript. '' for attachments without words.
 */
export function messageText(row: ChatRow): string {
  const text = bodyText(row);
  const whole = [row.subject ?? '', text].filter((words) => words !== '').join('\n');
  return withoutPlaceholders(whole);
}

function bodyText(row: ChatRow): string {
  const { balloon } = row;
  const words = writtenText(row);
  if (balloon?.kind === 'link') return words || (balloon.url ?? '');
  if (balloon) return balloonText(balloon, words.replaceAll(RECEIVER_TOKEN, 'You').trim());
  return words.trim() === '' && row.isAudio ? (transcriptOf(row) ?? words) : words;
}

/** The text of the row itself, without placeholders. */
export function writtenText({ text, balloon }: Pick<ChatRow, 'text' | 'balloon'>): string {
  const words = withoutPlaceholders(text);
  if (!balloon) return words;
  // A link's text is what a person wrote: only where nothing else stands there is it a placeholder.
  const isAlone = words.trim() === BALLOON_PLACEHOLDER;
  return balloon.kind === 'link' && !isAlone ? words : words.replaceAll(BALLOON_PLACEHOLDER, '');
}

function withoutPlaceholders(text: string): string {
  return text.includes(ATTACHMENT_PLACEHOLDER) ? text.replaceAll(ATTACHMENT_PLACEHOLDER, '') : text;
}

function balloonText(balloon: Balloon & { kind: BalloonKind }, words: string): string {
  const { kind, app, options } = balloon;
  const label = (kind === 'app' || kind === 'business' ? app : undefined) ?? LABELS[kind as keyof typeof LABELS];
  const caption = balloon.caption ?? words;
  const choices = options && options.length > 0 ? ` (${options.join(' / ')})` : '';
  const said = `[${label}]${caption === '' ? '' : ` ${caption}`}${choices}`;
  return words === '' || caption.includes(words) ? said : `${said}\n${words}`;
}

function transcriptOf({ body }: ChatRow): string | undefined {
  return body?.transcripts.map(({ text }) => text).join('\n') || undefined;
}

/** The one-time codes that Messages found in the text, as it writes them and bare. */
export function codesOf({ body }: ChatRow): string[] {
  return [...new Set(body?.codes.flatMap(({ displayCode, code }) => [displayCode, code]))].filter(
    (code) => code !== '',
  );
}
