import { EdgeError } from '../../util/EdgeError.ts';
import { withoutSecret } from '../../util/withoutSecret.ts';
import type { ProgramResult, RunProgram } from '../macos/programs.ts';

/** How long `security` may take, ms; it waits for a person when the Keychain is locked. */
const SECURITY_MS = 10_000;
/** `security -i` takes no longer line, bytes (MAX_LINE_LEN of its sources, less the end). */
const MAX_LINE_BYTES = 4094;
/** errSecItemNotFound, as an exit code: the lowest byte of the OSStatus. */
const NOT_FOUND = 44;
/** The exit codes of `security` that people meet, by what they mean. */
const MEANINGS: Readonly<Record<number, string>> = {
  36: 'the Keychain is locked and nobody may be asked (as over ssh): run `security unlock-keychain`, or do this at the Mac’s screen',
  44: 'there is no such item',
  51: 'the password of the Keychain was wrong, or this program may not use the item: run `security unlock-keychain`',
  128: 'the question for the Keychain’s password was cancelled',
};

/** Generic passwords in the user's default Keychain, by macOS's `security`. A password is never in the arguments of a program. */
export class Keychain {
  readonly #run: RunProgram;

  constructor({ run }: { run: RunProgram }) {
    this.#run = run;
  }

  /** The password of an item. @throws EdgeError EDGE_KEYCHAIN, which does not name the item: there is none, or it may not be read */
  async read(service: string, account: string): Promise<string> {
    const result = await this.#security(['find-generic-password', '-s', service, '-a', account, '-w']);
    if (result.exitCode !== 0) throw refused(undefined, result);
    return result.stdout.replace(/\n$/, '');
  }

  /**
   * Makes an item, or gives the one there is a new password; proven by reading it back.
   * @throws EdgeError EDGE_KEYCHAIN
   */
  async write(service: string, account: string, password: string): Promise<void> {
    // `security` gives any other password back in hexadecimal, which nothing tells from a password that looks like it.
    if (!/^[\x20-\x7e]+$/.test(password)) {
      throw new EdgeError('EDGE_KEYCHAIN', 'the secret is empty or has characters other than printable ASCII');
    }
    const words = ['add-generic-password', '-U', '-s', service, '-a', account, '-w', password];
    const line = words.map(securityWord).join(' ');
    if (Buffer.byteLength(line) > MAX_LINE_BYTES) throw new EdgeError('EDGE_KEYCHAIN', 'the secret is too long');
    const what = `writing ${named(service, account)}`;
    const result = await this.#security(['-i'], `${line}\n`);
    if (result.exitCode !== 0) throw refused(what, result, password);
    if ((await this.read(service, account)) === password) return;
    throw new EdgeError('EDGE_KEYCHAIN', `${what}: it has another password than the one written`);
  }

  /** False where there was no such item. @throws EdgeError EDGE_KEYCHAIN */
  async delete(service: string, account: string): Promise<boolean> {
    const result = await this.#security(['delete-generic-password', '-s', service, '-a', account]);
    if (result.exitCode === NOT_FOUND) return false;
    if (result.exitCode !== 0) throw refused(`deleting ${named(service, account)}`, result);
    return true;
  }

  #security(args: readonly string[], input?: string): Promise<ProgramResult> {
    return this.#run('security', args, { timeoutMs: SECURITY_MS, ...(input === undefined ? {} : { input }) });
  }
}

/**
 * A word of a line that `security -i` reads: it knows both quotes, and a backslash takes the next character as it is,
 * inside quotes too (split_line in its sources). A line ends with a newline whatever stands around it.
 */
export function securityWord(word: string): string {
  if (/[\0\r\n]/.test(word)) throw new EdgeError('EDGE_KEYCHAIN', 'a name or secret with a line break cannot be kept');
  return `"${word.replace(/["\\]/g, '\\$&')}"`;
}

const named = (service: string, account: string) => `the Keychain item ${service} of ${account}`;

function refused(
  what: string | undefined,
  { exitCode, stderr, timedOut }: ProgramResult,
  password?: string,
): EdgeError {
  const begin = what === undefined ? '' : `${what}: `;
  if (timedOut) {
    const detail = `nobody answered the Keychain’s question within ${SECURITY_MS / 1000} s`;
    return new EdgeError('EDGE_KEYCHAIN', `${begin}${detail}`);
  }
  const said = withoutSecret(stderr.trim().split('\n')[0] ?? '', password);
  const meaning = MEANINGS[exitCode ?? -1];
  const why = [`security ended with ${exitCode ?? 'a signal'}`, meaning, said].filter(Boolean).join('; ');
  return new EdgeError('EDGE_KEYCHAIN', `${begin}${why}`);
}
