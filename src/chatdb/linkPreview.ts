import type { ChatRow } from './types.ts';

/** How long after its text a preview may come, ms; 500 to 900 ms is what was seen (openclaw #15065). */
const PREVIEW_WITHIN_MS = 10_000;
/** Text searched for the address, characters: no address stands further behind in what a person writes. */
const SEARCHED_CHARACTERS = 100_000;
/** Goes on with an address: where one of these follows, the text holds another one. */
const GOES_ON = /^[\p{L}\p{N}/_%#?&=~+-]/u;

/**
 * Whether the row is the preview that Messages draws below the text `before`, as a row of its own: it is joined to the
 * text, which stands in the same chat, is not older than some seconds, and holds the address. That both are of the same
 * person is for the caller to see.
 */
export function isPreviewOf(row: ChatRow, before: ChatRow): boolean {
  if (row.balloon?.kind !== 'link' || row.previousGuid !== before.guid) return false;
  const addresses = [row.text, row.balloon.url ?? ''].map(bare).filter((address) => address !== '');
  if (addresses.length === 0) return false;
  if (before.balloon || before.action || before.association) return false;
  if (before.chat?.identifier !== row.chat?.identifier) return false;
  const apart = Math.abs((row.dateAt ?? Number.NaN) - (before.dateAt ?? Number.NaN));
  return apart <= PREVIEW_WITHIN_MS && addresses.some((address) => holds(before, address));
}

function holds({ text, body }: ChatRow, address: string): boolean {
  if (body?.links.some(({ url }) => bare(url) === address)) return true;
  const searched = text.slice(0, SEARCHED_CHARACTERS).toLowerCase();
  for (let at = searched.indexOf(address); at >= 0; at = searched.indexOf(address, at + 1)) {
    const rest = searched.slice(at + address.length, at + address.length + 4).replace(/^\//, '');
    if (!GOES_ON.test(rest)) return true;
  }
  return false;
}

/** Without what Messages adds to an address: `example.com` is previewed as `https://example.com/`. */
function bare(url: string): string {
  return url
    .replaceAll(/[\ufffc\ufffd]/g, '')
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/$/, '')
    .toLowerCase();
}
