import { basename } from 'node:path';

/** Characters of a name at most; file systems take 255. */
const MAX_LENGTH = 512;
/** Names end with this where the attachment is what an app's balloon draws itself from. */
const PLUGIN_PAYLOAD = '.pluginpayloadattachment';
const UNKNOWN_TYPE = 'application/octet-stream';

/** MIME types by the ends of names and of Apple's type identifiers (`public.jpeg`, `com.adobe.pdf`). */
const TYPES: Readonly<Record<string, string>> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  webp: 'image/webp',
  tiff: 'image/tiff',
  mov: 'video/quicktime',
  'quicktime-movie': 'video/quicktime',
  mp4: 'video/mp4',
  'mpeg-4': 'video/mp4',
  m4a: 'audio/mp4',
  'm4a-audio': 'audio/mp4',
  'mpeg-4-audio': 'audio/mp4',
  mp3: 'audio/mpeg',
  caf: 'audio/x-caf',
  'coreaudio-format': 'audio/x-caf',
  amr: 'audio/amr',
  wav: 'audio/wav',
  pdf: 'application/pdf',
  zip: 'application/zip',
  txt: 'text/plain',
  'plain-text': 'text/plain',
  csv: 'text/csv',
  vcf: 'text/vcard',
  vcard: 'text/vcard',
  vlocation: 'text/x-vlocation',
};

export function isPluginPayload(name: string): boolean {
  return name.toLowerCase().endsWith(PLUGIN_PAYLOAD);
}

/** A name that can do no harm in a path or on a terminal: the sender chose it. Empty where nothing is left. */
export function fileName(transferName: string | null, path: string | null): string {
  return safe(transferName ?? '') || safe(basename(path ?? '').slice(-MAX_LENGTH));
}

function safe(name: string): string {
  // Control characters, and those that turn the direction of what follows, so that an end looks like another.
  const plain = name.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '').replaceAll(/[/\\]/g, '_');
  return plain === '.' || plain === '..' ? '' : plain;
}

/** The type as stored, else the one that identifier or name make obvious, else application/octet-stream. */
export function mimeTypeOf(stored: string | null, uti: string | null, name: string): string {
  return stored || typeBy(uti) || typeBy(name) || UNKNOWN_TYPE;
}

function typeBy(text: string | null): string | undefined {
  const end = text?.slice(text.lastIndexOf('.') + 1).toLowerCase();
  return end !== undefined && Object.hasOwn(TYPES, end) ? TYPES[end] : undefined;
}
