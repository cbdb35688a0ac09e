import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutSecret } from '../../src/util/withoutSecret.ts';

const SECRET = 'a"b/canary&42 <\\$1';
const html = SECRET.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

describe('an echo of the secret', () => {
  it.each([
    ['as it is', SECRET],
    ['in JSON', JSON.stringify(SECRET)],
    ['in JSON with every slash escaped', JSON.stringify(SECRET).replaceAll('/', '\\/')],
    ['in JSON by code points', JSON.stringify(SECRET).replaceAll('&', '\\u0026').replaceAll('<', '\\u003C')],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in a URL, in small letters', encodeURIComponent(SECRET).replace(/%../g, (byte) => byte.toLowerCase())],
    ['in a URL in part', encodeURI(SECRET)],
    ['in a form', new URLSearchParams({ '': SECRET }).toString()],
    ['in HTML', html],
    ['in HTML by numbers', html.replaceAll('&quot;', '&#34;').replaceAll('/', '&#x2F;')],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64 with what stood before and behind it', Buffer.from(`{"a":"Bearer ${SECRET}"}`).toString('base64')],
    ['in base64 of JSON', Buffer.from(JSON.stringify({ headers: { a: SECRET } })).toString('base64')],
    ['in base64 for URLs', Buffer.from(`x${SECRET}yz`).toString('base64url')],
  ])('%s is blotted out', (_what, echo) => {
    const left = withoutSecret(`before ${echo} behind ${echo}`, SECRET);
    expect(left).toMatch(/^before .*\[secret\].* behind .*\[secret\].*$/);
    expect(left).not.toMatch(/canary|%|&|\\u/);
  });

  it('is found whatever the secret and wherever it stands in base64', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    });
    fc.assert(
      fc.property(
        fc.string(),
        printable.filter(({ length }) => length >= 8),
        fc.string(),
        (before, secret, behind) => {
          expect(withoutSecret(`${before}${secret}${behind}`, secret)).toContain('[secret]');
          const encoded = Buffer.from(`${before}${secret}${behind}`).toString('base64');
          expect(withoutSecret(encoded, secret)).toContain('[secret]');
          expect(withoutSecret(encodeURIComponent(secret), secret)).toBe('[secret]');
        },
      ),
    );
  });

  it('is blotted out where the text ends in the middle of it', () => {
    expect(withoutSecret('Invalid token: canary-5f0c', 'canary-5f0c2e9a')).toBe('Invalid token: [secret]');
    expect(withoutSecret('Invalid token: can', 'canary-5f0c2e9a')).toBe('Invalid token: can');
    expect(withoutSecret('canary-5 is not it', 'canary-5f0c2e9a')).toBe('canary-5 is not it');
  });

  it('is all that is blotted out', () => {
    expect(withoutSecret('a+b', undefined)).toBe('a+b');
    expect(withoutSecret('Q29 aQ', 'ab')).toBe('Q29 aQ');
    expect(withoutSecret('nothing of it here', SECRET)).toBe('nothing of it here');
  });
});
