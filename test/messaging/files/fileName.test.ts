import { expect, it } from 'vitest';
import { extensionOf, safeFileName } from '../../../src/messaging/files/fileName.ts';

it('keeps a name that is one, in NFC', () => {
  for (const name of ['photo.jpg', 'Quarterly report (final).pdf', 'Zoë 👩‍👩‍👧.heic', 'no extension']) {
    expect(safeFileName(name)).toBe(name);
  }
  expect(safeFileName('e\u0301te\u0301.png')).toBe('\u00e9t\u00e9.png');
});

it.each([
  ['../../../etc/passwd', '_.._.._etc_passwd'],
  ['a/b\\c:d.txt', 'a_b_c_d.txt'],
  ['..', undefined],
  ['.bashrc', 'bashrc'],
  ['  . hidden.txt . ', 'hidden.txt'],
  ['///', undefined],
  ['a\0b\n\u001b[31m.txt', 'ab[31m.txt'],
  ['invoice\u202egpj.exe', 'invoicegpj.exe'],
  ['menu.e\u200bx\u00ade\u3164', 'menu.exe'],
  ['e\u200b\u0301.png', '\u00e9.png'],
  ['\u200b', undefined],
  ['half\ud83d.txt', 'half\ufffd.txt'],
  ['CON.txt', '_CON.txt'],
  ['lpt1', '_lpt1'],
  ['console.txt', 'console.txt'],
])('makes of %j the name %j', (given, safe) => {
  expect(safeFileName(given)).toBe(safe);
});

it('cuts a long name before its extension, at 255 bytes and between characters', () => {
  const cut = safeFileName(`${'👩‍👩‍👧'.repeat(100)}.jpeg`)!;
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(255);
  expect(cut).toMatch(/^(👩‍👩‍👧)+\.jpeg$/u);
  expect(Buffer.byteLength(safeFileName('x'.repeat(1000))!)).toBe(255);
  expect(safeFileName(`a${'\u0323'.repeat(240)}.command`)).toMatch(/^\u1ea1\u0323+\.command$/);
  expect(Buffer.byteLength(safeFileName(`a.${'y'.repeat(1000)}`)!)).toBe(255);
});

it('takes for the extension what stands behind the last dot', () => {
  expect([extensionOf('a.TAR.GZ'), extensionOf('a'), extensionOf('.a'), extensionOf('a.c\u200dom')]).toEqual([
    'gz',
    '',
    '',
    'com',
  ]);
});
