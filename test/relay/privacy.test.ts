import { describe, expect, it } from 'vitest';
import { DETECTORS, type DetectorName } from '../../src/relay/detectors.ts';
import { createPrivacyFilter } from '../../src/relay/privacy.ts';

const names = Object.keys(DETECTORS) as DetectorName[];
const KEY = 'A1b2C3d4E5f6G7h8I9j0';

describe('the privacy filter', () => {
  const table: [DetectorName, string, string][] = [
    ['payment_card', 'card 4242424242424242.', 'card [*].'],
    ['payment_card', '4242 4242 4242 4242 12/29', '[*] 12/29'],
    ['payment_card', 'order 12 4242-4242-4242-4242 ok', 'order 12 [*] ok'],
    ['payment_card', '3782 822463 10005', '[*]'],
    ['payment_card', '4242424242424242 and 5555555555554444', '[*] and [*]'],
    ['payment_card', '4242424242424243', '4242424242424243'],
    ['payment_card', 'call +1 555 010 0002', 'call +1 555 010 0002'],
    ['payment_card', '42424242424242424242424242', '42424242424242424242424242'],
    ['iban', 'to DE89 3704 0044 0532 0130 00 please', 'to [*] please'],
    ['iban', 'to DE89370400440532013000', 'to [*]'],
    ['iban', 'GB82 WEST 1234 5698 7654 32 THANKS', '[*] THANKS'],
    ['iban', 'DE88370400440532013000', 'DE88370400440532013000'],
    ['iban', 'ZZ89370400440532013000', 'ZZ89370400440532013000'],
    ['us_ssn', 'ssn 078-05-1120', 'ssn [*]'],
    ['us_ssn', '000-12-3456 900-12-3456 123-00-4567', '000-12-3456 900-12-3456 123-00-4567'],
    ['us_ssn', '+1-555-010-0002', '+1-555-010-0002'],
    ['one_time_code', 'Your code is 482913', 'Your code is [*]'],
    ['one_time_code', 'G-482913 is your verification code', '[*] is your verification code'],
    ['one_time_code', 'OTP: 123 456.', 'OTP: [*].'],
    ['one_time_code', 'see you in 2026', 'see you in 2026'],
    ['one_time_code', 'the 482913 cows', 'the 482913 cows'],
    ['api_key', `key sk-${KEY}`, 'key [*]'],
    ['api_key', 'AKIAIOSFODNN7EXAMPLE', '[*]'],
    ['api_key', `ghp_${KEY}${KEY}`, '[*]'],
    [
      'api_key',
      'risk-free and task-oriented-programming-languages',
      'risk-free and task-oriented-programming-languages',
    ],
  ];
  for (const [name, text, wanted] of table) {
    it(`reads ${JSON.stringify(text)} for ${name} as ${JSON.stringify(wanted)}`, () => {
      const { text: left, redacted } = createPrivacyFilter({ redact: [name], denyThreads: [] }).redact(text);
      expect(left).toBe(wanted.replaceAll('[*]', `[redacted:${name}]`));
      expect(redacted).toEqual(left === text ? [] : [name]);
    });
  }

  it('names all it found, and leaves a text alone without detectors', () => {
    const text = 'code 482913, card 4242424242424242';
    expect(createPrivacyFilter({ redact: names, denyThreads: [] }).redact(text).redacted).toEqual([
      'payment_card',
      'one_time_code',
    ]);
    expect(createPrivacyFilter({ redact: [], denyThreads: [] }).redact(text)).toEqual({ text, redacted: [] });
  });

  it('does work in proportion to the text, whatever the text', () => {
    const filter = createPrivacyFilter({ redact: names, denyThreads: [] });
    const hostile = [
      '1',
      '1 ',
      '42 ',
      'A',
      'DE89 ',
      'sk-',
      'eyJ',
      'eyJaaaaaaaaaa.',
      'code ',
      'code 1234 ',
      '123-45-',
      '-',
    ];
    // Quadratic work on 200,000 characters would run into the time-out of the test.
    for (const piece of hostile) filter.redact(piece.repeat(200_000 / piece.length));
  });

  it('refuses the threads it is told to', () => {
    const filter = createPrivacyFilter({ redact: [], denyThreads: ['+15550100002'] });
    const refusal = (threadId: string) => filter.refuses({ threadId, sender: threadId, service: 'iMessage', text: '' });
    expect(refusal('+15550100002')).toBe('thread_denied');
    expect(refusal('+15550100003')).toBeUndefined();
  });
});
