/** APFS and most others take 255 bytes a name. */
const MAX_NAME_BYTES = 255;
/** An extension that is longer is none, bytes. */
const MAX_EXTENSION_BYTES = 20;
/** Path separators of macOS (`:` in the Finder's eyes), Windows and URLs, and what Windows allows in no name. */
const UNSAFE = /[/\\:*?"<>|]/g;
/** Nothing to be seen, as in an extension that looks like another; without the joiners that scripts and emoji need. */
const INVISIBLE = /[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2064\u2800\u3164\uffa0]/g;
/** Control characters; line and paragraph separators; what turns the direction of writing, to hide an extension. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]/gu;
/** Names of devices on Windows, with any extension. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * The name under which a file is staged, which the recipient sees: the one given, in NFC, without what means something
 * else than a name to a file system or hides what it is, at most 255 bytes. Undefined when nothing is left of it.
 */
export function safeFileName(given: string): string | undefined {
  const name = given
    .toWellFormed()
    .replace(UNSEEN, '')
    .replace(INVISIBLE, '')
    .normalize('NFC')
    .replace(UNSAFE, '_')
    .replace(/^[\s.]+|[\s.]+$/gu, '');
  if (/^_*$/.test(name)) return undefined;
  return shortened(DEVICE.test(name) ? `_${name}` : name);
}

/** Lower case, without the dot and what a system may pass over; '' for none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return '';
  return name
    .slice(dot + 1)
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase();
}

/** Cut before the extension, between characters as people see them. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const hasExtension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= MAX_EXTENSION_BYTES;
  const extension = hasExtension ? name.slice(dot) : '';
  const whole = hasExtension ? name.slice(0, dot) : name;
  const room = MAX_NAME_BYTES - Buffer.byteLength(extension);
  const characters = [...new Intl.Segmenter().segment(whole)].map(({ segment }) => segment);
  // One character may be longer than a name: without a stem the extension would be the name, of a hidden file.
  const stem = cut(characters, room) || cut([...whole], room);
  return `${stem.trimEnd()}${extension}`;
}

/** As many of the pieces as have at most `room` bytes. */
function cut(pieces: readonly string[], room: number): string {
  let left = room;
  const over = pieces.findIndex((piece) => {
    left -= Buffer.byteLength(piece);
    return left < 0;
  });
  return (over === -1 ? pieces : pieces.slice(0, over)).join('');
}
