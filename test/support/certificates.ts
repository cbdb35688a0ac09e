import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './tempDir.ts';

export interface KeyPair {
  /** PEM */
  key: string;
  /** PEM */
  cert: string;
}

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A key and a certificate for the names (`DNS:…,IP:…`) that signs itself. */
export function selfSigned(names: string): KeyPair {
  const dir = tempDir();
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const out = ['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=test', '-addext', `subjectAltName=${names}`];
  openssl('req', '-x509', ...KEY, ...out);
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** An authority of the test's own. */
export function authority() {
  const dir = tempDir();
  const at = (name: string) => join(dir, name);
  openssl('req', '-x509', ...KEY, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2', '-subj', '/CN=Test CA');
  writeFileSync(at('index.txt'), '');
  const lines = [
    '[any]',
    '[ca]',
    'default_ca=own',
    '[own]',
    `database=${at('index.txt')}`,
    `new_certs_dir=${dir}`,
    'policy=any',
    'default_md=sha256',
    'rand_serial=yes',
    'unique_subject=no',
    'copy_extensions=copy',
  ];
  writeFileSync(at('ca.cnf'), lines.join('\n'));
  return {
    /** The certificate that others trust, PEM. */
    cert: readFileSync(at('ca.pem'), 'utf8'),
    /** A certificate for the names (`DNS:…,IP:…`), valid from and to so many days from now. */
    issue(names: string, [from, to]: readonly [number, number] = [-1, 1]): KeyPair {
      const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${names}`];
      openssl('req', ...KEY, '-keyout', at('leaf.key'), '-out', at('leaf.csr'), ...subject);
      const span = ['-startdate', daysFromNow(from), '-enddate', daysFromNow(to)];
      const own = ['-config', at('ca.cnf'), '-cert', at('ca.pem'), '-keyfile', at('ca.key')];
      openssl('ca', '-batch', '-notext', ...own, ...span, '-in', at('leaf.csr'), '-out', at('leaf.pem'));
      return { key: readFileSync(at('leaf.key'), 'utf8'), cert: readFileSync(at('leaf.pem'), 'utf8') };
    },
  };
}

/** As backend.pin_sha256 has it. */
export function pinOf({ cert }: KeyPair): string {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** YYYYMMDDHHMMSSZ */
function daysFromNow(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${at.replace(/\D/g, '').slice(0, 14)}Z`;
}
