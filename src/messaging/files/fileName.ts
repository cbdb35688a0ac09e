/** APFS and most others take 255 bytes a name. */
const MAX_NAME_BYTES = 255;
/** An extension that is longer is none, bytes. */
const MAX_EXTENSION_BYTES = 20;
/** Path separators of macOS (`:` in the Finder's eyes), Windows and URLs, and what Windows allows in no name. */
const UNSAFE = /[/\\:*?"<>|]/g;
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
    .normalize('NFC')
    .replace(UNSEEN, '')
    .replace(UNSAFE, '_')
    .replace(/^[\s.]+|[\s.]+$/gu, '');
  if (/^_*$/.test(name)) return undefined;
  return shortened(DEVICE.test(name) ? `_${name}` : name);
}

/** Lower case, without the dot; '' for none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/** Cut before the extension, between characters as people see them. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const hasExtension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= MAX_EXTENSION_BYTES;
  const extension = hasExtension ? name.slice(dot) : '';
  let left = MAX_NAME_BYTES - Buffer.byteLength(extension);
  let stem = '';
  for (const { segment } of new Intl.Segmenter().segment(hasExtension ? name.slice(0, dot) : name)) {
    left -= Buffer.byteLength(segment);
    if (left < 0) break;
    stem += segment;
  }
  return `${stem.trimEnd()}${extension}`;
}
