import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';

/** The roots of a whole operating system are a quarter of it, bytes. */
const MAX_CA_FILE_BYTES = 1024 * 1024;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface TrustOptions {
  /** A PEM file of authorities beside Node's. */
  caFile: string | undefined;
  /** SHA-256 of public keys (SPKI), base64. Empty: any. */
  pins: readonly string[];
  /** Told each time the file was read; undefined: it is in order. */
  onCaFile(problem: string | undefined): void;
}

/** Whom a TLS connection is made with. The CA file is read anew when it changed, so that it may be replaced at any time. */
export class Trust {
  readonly #o: TrustOptions;
  /** Of the file as it was read last. */
  #version: string | undefined;
  #context: SecureContext | undefined;

  constructor(options: TrustOptions) {
    this.#o = options;
  }

  /** For one connection to the backend. */
  forBackend(): ConnectionOptions {
    const { pins } = this.#o;
    if (pins.length === 0) return this.forProxy();
    const check = (host: string, certificate: PeerCertificate) =>
      checkServerIdentity(host, certificate) ?? pinProblem(certificate, pins);
    return { ...this.forProxy(), checkServerIdentity: check };
  }

  /** For one connection to a proxy: pins are the backend's. */
  forProxy(): ConnectionOptions {
    if (this.#o.caFile !== undefined) this.#look(this.#o.caFile);
    // Else NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would end every check, that of the pins too.
    return { rejectUnauthorized: true, ...(this.#context && { secureContext: this.#context }) };
  }

  /** A file that cannot be used leaves Node's own authorities: connections fail rather than trust what was replaced. */
  #look(path: string): void {
    let version: string | undefined;
    try {
      const { mtimeMs, size, ino } = statSync(path);
      version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      this.#context = createSecureContext({ ca: [...getCACertificates('default'), ...authorities(path)] });
      this.#version = version;
      this.#o.onCaFile(undefined);
    } catch (error) {
      this.#context = undefined;
      this.#version = undefined;
      this.#o.onCaFile(`${path}: ${messageOf(error)}`);
    }
  }
}

/** @throws when it is no file, too large, or holds no certificate or a broken one */
function authorities(path: string): string[] {
  const stat = statSync(path);
  if (!stat.isFile()) throw new Error('it is not a file'); // reading a FIFO would never end
  if (stat.size > MAX_CA_FILE_BYTES) throw new Error(`it is larger than ${MAX_CA_FILE_BYTES} bytes`);
  const blocks = readFileSync(path, 'utf8').match(PEM_BLOCK) ?? [];
  if (blocks.length === 0) throw new Error('it holds no certificate');
  for (const block of blocks) new X509Certificate(block); // throws on a broken one, which a secure context passes over
  return blocks;
}

function pinProblem(certificate: PeerCertificate, pins: readonly string[]): EdgeError | undefined {
  const key = new X509Certificate(certificate.raw).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(key).digest('base64');
  if (pins.includes(pin)) return undefined;
  return new EdgeError('EDGE_TLS_PIN', `the backend’s public key has the pin ${pin}`);
}
