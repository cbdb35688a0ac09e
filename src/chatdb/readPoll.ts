/** Longer ones are left out: a poll has at most twelve options, its address some KiB. */
const MAX_URL_LENGTH = 256 * 1024;
const MAX_OPTIONS = 100;

export interface Poll {
  /** Undefined where the poll was sent without one: the question is then in the message that follows it. */
  readonly question: string | undefined;
  readonly options: readonly string[];
}

/**
 * The poll in a balloon's address, as macOS 26 writes it (openclaw/imsg, photon-ai/advanced-imessage-kit): `data:,` and
 * JSON `{ item: { title, orderedPollOptions: [{ text }] } }`, percent-encoded or as base64, then a query. Undefined where
 * it holds none; that is so for votes too. Never throws.
 */
export function readPoll(url: string): Poll | undefined {
  if (url.length > MAX_URL_LENGTH) return undefined;
  const data = /^data:[^,]*,(.*)$/s.exec(url)?.[1];
  if (data === undefined) return undefined;
  // A question may have a question mark of its own, which not every writer encodes.
  const parsed = parse(data.split('?', 1)[0]!) ?? parse(data.slice(0, data.lastIndexOf('?'))) ?? parse(data);
  const item = member(parsed, 'item');
  const stored = member(item, 'orderedPollOptions');
  if (!Array.isArray(stored)) return undefined;
  const options = stored.slice(0, MAX_OPTIONS).map((option) => text(option, 'text') ?? text(option, 'attributedText'));
  return { question: text(item, 'title'), options: options.filter((option) => option !== undefined) };
}

function parse(data: string): unknown {
  try {
    const decoded = decodeURIComponent(data);
    return JSON.parse(decoded.startsWith('{') ? decoded : Buffer.from(decoded, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}

function member(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? (from as Readonly<Record<string, unknown>>)[name] : undefined;
}

function text(from: unknown, name: string): string | undefined {
  const value = member(from, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
