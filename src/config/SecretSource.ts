import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { EdgeError, messageOf } from '../util/EdgeError.ts';

/** Longest secret that is taken, bytes: an HTTP header beyond that is refused by most servers. */
const MAX_SECRET_BYTES = 4096;

/** Gives the secret of a Keychain item. Rejects when there is none, or it may not be read. */
export type ReadKeychain = (service: string, account: string) => Promise<string>;

export interface SecretSourceOptions {
  /** The value of EDGE_SECRET. */
  readonly environment: string | undefined;
  readonly file: string | undefined;
  readonly keychain: { readonly service: string; readonly account: string } | undefined;
  readonly readKeychain: ReadKeychain;
}

/**
 * Where the agent's secret comes from: EDGE_SECRET, else the file, else the Keychain; the first that is set decides,
 * so that a mistake in it is told rather than covered by another. The value never enters the configuration or a log.
 */
export class SecretSource {
  readonly #options: SecretSourceOptions;
  #value: string | undefined;
  #problem: EdgeError | undefined;
  #asking: Promise<void> | undefined;
  /** It was to be read anew while the Keychain was asked, which may have found the secret of before. */
  #askAgain = false;
  #listener: (() => void) | undefined;

  constructor(options: SecretSourceOptions) {
    this.#options = options;
  }

  /** Reads it for the first time, waiting for the Keychain. Never rejects: see `problem`. */
  async load(): Promise<void> {
    this.refresh();
    await this.#asking;
  }

  /** The secret as last read. While there is none, each call looks again. */
  current(): string | undefined {
    if (this.#value === undefined) this.#read();
    return this.#value;
  }

  /** The secret as last read, without looking: for those who must keep it out of what they write. */
  get known(): string | undefined {
    return this.#value;
  }

  /** Why there is no secret, or why a new one could not be read: EDGE_SECRET_MISSING or EDGE_SECRET_FILE_MODE. */
  get problem(): EdgeError | undefined {
    return this.#problem;
  }

  /** `listener` is called, soon after the reading, each time that gave another secret than the one before. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  /** Reads it again: environment and file at once, the Keychain in the background with the last value kept meanwhile. */
  refresh(): void {
    this.#askAgain = true;
    this.#read();
  }

  #read(): void {
    const { environment, file, keychain } = this.#options;
    if (environment !== undefined && environment !== '') this.#take(() => checked(environment, 'EDGE_SECRET'));
    else if (file !== undefined) this.#take(() => checked(readSecretFile(file), file));
    else if (keychain !== undefined) this.#askKeychain(keychain);
    else this.#take(() => missing('neither EDGE_SECRET, edge.secret_file nor edge.secret_keychain_service is set'));
  }

  #take(read: () => string): void {
    const before = this.#value;
    try {
      this.#value = read();
      this.#problem = undefined;
      // Not at once: whoever has the secret read is in the middle of using it.
      if (this.#value !== before) queueMicrotask(() => this.#listener?.());
    } catch (error) {
      this.#value = undefined;
      this.#problem = error as EdgeError;
    }
  }

  #askKeychain(item: { service: string; account: string }): void {
    this.#asking ??= this.#ask(item).finally(() => {
      this.#asking = undefined;
    });
  }

  async #ask({ service, account }: { service: string; account: string }): Promise<void> {
    const from = `the Keychain item ${service} of ${account}`;
    do {
      this.#askAgain = false;
      try {
        const text = await this.#options.readKeychain(service, account);
        this.#take(() => checked(text, from));
      } catch (error) {
        this.#problem = new EdgeError('EDGE_SECRET_MISSING', `${from} cannot be read: ${messageOf(error)}`);
      }
    } while (this.#askAgain);
  }
}

function readSecretFile(file: string): string {
  let descriptor: number;
  try {
    // A FIFO without a writer would hold up the whole program.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return missing(`${file} cannot be read: ${messageOf(error)}`);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return missing(`${file} is not a file`);
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
      throw new EdgeError('EDGE_SECRET_FILE_MODE', `${file} has mode ${mode}, expected 0600`);
    }
    if (stat.size > MAX_SECRET_BYTES) return missing(`${file} has ${stat.size} bytes, too many for a secret`);
    const bytes = Buffer.alloc(MAX_SECRET_BYTES);
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

/** Only what an HTTP header carries unchanged: printable ASCII. Anything else could end the header and begin another. */
function checked(text: string, from: string): string {
  const secret = text.replace(/^\ufeff/, '').trim();
  if (secret === '') return missing(`${from} is empty`);
  if (secret.length > MAX_SECRET_BYTES) return missing(`${from} is too long for a secret`);
  if (!/^[\x20-\x7e]+$/.test(secret)) return missing(`${from} has characters that no HTTP header can carry`);
  return secret;
}

function missing(detail: string): never {
  throw new EdgeError('EDGE_SECRET_MISSING', detail);
}
