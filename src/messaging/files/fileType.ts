import { extensionOf } from './fileName.ts';

/** How much of a file its type is known by, bytes. */
export const HEAD_BYTES = 4096;

/**
 * Files that run, install or open something when somebody taps them. iMessage would carry them; an automatic sender has
 * no business to.
 */
const RUNS: ReadonlySet<string> = new Set(
  [
    'app pkg mpkg dmg iso command tool terminal workflow action scpt scptd applescript osax', // macOS
    'wflow caction appex xip sparseimage sparsebundle img cdr smi toast jnlp safariextz',
    'kext prefpane plugin bundle dylib so qlgenerator saver mobileconfig configprofile mobileprovision shortcut',
    'webloc inetloc fileloc ftploc afploc vncloc mailloc url desktop lnk', // open another place
    'sh bash zsh csh tcsh ksh fish',
    'exe msi msix bat cmd com scr pif ps1 vbs vbe vbscript js jse gadget wsf hta cpl reg dll sys', // Windows
    'jar apk ipa deb rpm appimage',
  ]
    .join(' ')
    .split(' '),
);

/** Of what runs, the first bytes: shebang, Windows, ELF, compiled AppleScript, installer package, Mach-O in all forms. */
const EXECUTABLE_HEADS = ['2321', '4d5a', '7f454c46', '46617364554153', '4a734f7361444153', '78617221'].concat([
  'feedface',
  'feedfacf',
  'cefaedfe',
  'cffaedfe',
  'cafebabe',
  'cafebabf',
  'bebafeca',
]);
const EXECUTABLE_TYPES: ReadonlySet<string> = new Set([
  'application/x-apple-diskimage',
  'application/x-ms-shortcut',
  'application/x-ms-regedit',
  'application/vnd.android.package-archive',
  'application/x-deb',
  'application/x-rpm',
]);

/** Types without bytes of their own that say what they are, though others of their kind have. */
const WITHOUT_MAGIC: ReadonlySet<string> = new Set(['image/svg+xml', 'audio/midi', 'audio/basic', 'audio/x-caf']);
/** Containers: what is in them may be called audio, video or application. */
const CONTAINERS: ReadonlySet<string> = new Set(['audio', 'video']);
const ANY = 'application/octet-stream';

/** Why a file of this name is not sent, whatever is in it; undefined when nothing speaks against it. */
export function nameFlaw(name: string): string | undefined {
  const extension = extensionOf(name);
  return RUNS.has(extension) ? `a .${extension} file runs or opens something on the device it is opened on` : undefined;
}

/** `type/subtype` in lower case, without parameters; undefined when it is none. */
export function bareType(mimeType: string): string | undefined {
  const type = mimeType.split(';')[0]!.trim().toLowerCase();
  return /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/.test(type) ? type : undefined;
}

/**
 * Why a file is not sent that is said to be `mimeType` and begins with `head`; undefined when the two agree. Agree is:
 * of one kind (image, audio …). Much has no bytes that tell it (text, JSON, vCard): it may be anything but a program,
 * and text holds no NUL.
 */
export async function contentFlaw(head: Buffer, mimeType: string): Promise<string | undefined> {
  const hex = head.subarray(0, 8).toString('hex');
  if (EXECUTABLE_HEADS.some((magic) => hex.startsWith(magic))) return 'its bytes are a program';
  const { fileTypeFromBuffer } = await import('file-type'); // with the first file: it takes some 8 MB
  const found = (await fileTypeFromBuffer(head))?.mime;
  if (found !== undefined && EXECUTABLE_TYPES.has(found)) return `its bytes are ${found}`;
  const said = bareType(mimeType) ?? ANY;
  if (said === ANY || agree(kindOf(said), said, found, head)) return undefined;
  return `it is said to be ${said}, and its bytes are ${found ?? 'something else'}`;
}

function agree(kind: string, said: string, found: string | undefined, head: Buffer): boolean {
  if (kind === 'text') return !head.includes(0) && (found === undefined || isMarkup(found));
  if (said === 'image/svg+xml') return !head.includes(0) && (found === undefined || isMarkup(found));
  if (found === undefined) return !['image', 'audio', 'video'].includes(kind) || WITHOUT_MAGIC.has(said);
  const foundKind = kindOf(found);
  if (foundKind === kind || (CONTAINERS.has(kind) && CONTAINERS.has(foundKind))) return true;
  if (kind === 'application') return ['application/ogg', 'application/mp4'].includes(said) || !isMedia(foundKind);
  return foundKind === 'application' && !isMedia(kind);
}

function isMedia(kind: string): boolean {
  return ['image', 'audio', 'video'].includes(kind);
}

function isMarkup(type: string): boolean {
  return kindOf(type) === 'text' || ['application/xml', 'application/rtf'].includes(type);
}

function kindOf(type: string): string {
  return type.slice(0, type.indexOf('/'));
}
