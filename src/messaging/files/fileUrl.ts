import { isIP } from 'node:net';

/** Names that mean this machine or this network to every resolver, whatever DNS says. */
const LOCAL = /(^|\.)(localhost|local|internal|home\.arpa|lan)$/;

/**
 * Why a file is not fetched from there; undefined when nothing of the URL itself speaks against it. What its name
 * resolves to is looked at when the connection is made.
 */
export function urlFlaw(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url) return 'is not a URL';
  if (url.protocol !== 'https:') return `is ${url.protocol} and not https:`;
  if (url.username !== '' || url.password !== '') return 'holds a user name or password';
  const host = url.hostname.replace(/\.$/, '').toLowerCase();
  if (isIP(host) || host.startsWith('[')) return undefined; // judged with the addresses that names resolve to
  if (LOCAL.test(host) || !host.includes('.')) return 'names a host of the local network';
  return undefined;
}
