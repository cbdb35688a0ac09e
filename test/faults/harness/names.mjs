/**
 * A resolver for a program under test, loaded before it: `node --import 'file:///…/names.mjs?file=FILE' …`. FILE is JSON,
 * read for each name: its addresses in order, or the code of the error that looking it up ends with.
 */
import dns from 'node:dns';
import { readFileSync } from 'node:fs';

const file = new URL(import.meta.url).searchParams.get('file');

dns.lookup = (host, options, callback) => {
  const done = callback ?? options;
  const found = JSON.parse(readFileSync(file, 'utf8'))[host] ?? 'ENOTFOUND';
  process.nextTick(() => {
    if (typeof found === 'string') {
      done(Object.assign(new Error(`getaddrinfo ${found} ${host}`), { code: found, syscall: 'getaddrinfo' }));
      return;
    }
    const entries = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all) done(null, entries);
    else done(null, entries[0].address, entries[0].family);
  });
};
