import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DETECTORS, type DetectorName } from '../../src/relay/detectors/detectors.ts';
import { createPrivacyFilter } from '../../src/relay/privacy.ts';

const names = Object.keys(DETECTORS) as DetectorName[];
const KEY = 'A1b2C3d4E5f6G7h8I9j0';
const BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ';

/** `[*]` stands for what was replaced. */
const TABLE: [DetectorName, string, string][] = [
  ['payment_card', 'card 4242424242424242.', 'card [*].'],
  ['payment_card', '4242 4242 4242 4242 12/29', '[*] 12/29'],
  ['payment_card', 'order 12 4242-4242-4242-4242 ok', 'order 12 [*] ok'],
  ['payment_card', '3782 822463 10005', '[*]'],
  ['payment_card', '4242.4242.4242.4242', '[*]'],
  ['payment_card', '4242 - 4242 - 4242 - 4242', '[*]'],
  ['payment_card', '4242\n4242\n4242\n4242', '[*]'],
  ['payment_card', '4242\u00a04242\u202f4242\u20094242', '[*]'],
  ['payment_card', '4242\u200b4242\u200d4242\u20604242', '[*]'],
  ['payment_card', '4242\u20134242\u20144242\u22124242', '[*]'],
  ['payment_card', 'я ４２４２４２４２４２４２４２４２ я', 'я [*] я'],
  ['payment_card', '٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢', '[*]'],
  ['payment_card', '💥𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐💥', '💥[*]💥'],
  ['payment_card', '4242424242424242 and 5555555555554444', '[*] and [*]'],
  ['payment_card', '4242424242424243', '4242424242424243'],
  ['payment_card', 'call +1 555 010 0002', 'call +1 555 010 0002'],
  ['payment_card', '42424242424242424242424242', '42424242424242424242424242'],
  ['iban', 'to DE89 3704 0044 0532 0130 00 please', 'to [*] please'],
  ['iban', 'to DE89370400440532013000', 'to [*]'],
  ['iban', 'to de89 3704 0044 0532 0130 00 please', 'to [*] please'],
  ['iban', 'DE89-3704-0044-0532-0130-00', '[*]'],
  ['iban', 'DE 89 3704 0044 0532 0130 00', '[*]'],
  ['iban', 'DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000', '[*]'],
  ['iban', 'GB82 WEST 1234 5698 7654 32 THANKS', '[*] THANKS'],
  ['iban', 'DE12 DE89 3704 0044 0532 0130 00', 'DE12 [*]'],
  ['iban', 'DE88370400440532013000', 'DE88370400440532013000'],
  ['iban', 'ZZ89370400440532013000', 'ZZ89370400440532013000'],
  ['us_ssn', 'ssn 078-05-1120', 'ssn [*]'],
  ['us_ssn', 'ssn-078-05-1120', 'ssn-[*]'],
  ['us_ssn', '078.05.1120 or 078 05 1120 or 078\u201105\u20111120', '[*] or [*] or [*]'],
  ['us_ssn', 'my SSN is: 078051120', 'my SSN is: [*]'],
  ['us_ssn', 'order 078051120', 'order 078051120'],
  ['us_ssn', '000-12-3456 900-12-3456 123-00-4567', '000-12-3456 900-12-3456 123-00-4567'],
  ['us_ssn', '+1-555-010-0002', '+1-555-010-0002'],
  ['one_time_code', 'Your code is 482913', 'Your code is [*]'],
  ['one_time_code', '123 456 is your code', '[*] is your code'],
  ['one_time_code', 'G-482913 is your verification code', '[*] is your verification code'],
  ['one_time_code', 'OTP: 123 456.', 'OTP: [*].'],
  ['one_time_code', 'Steam Guard code: 7KQ2X', 'Steam Guard code: [*]'],
  ['one_time_code', 'Dein Bestätigungscode lautet 482913', 'Dein Bestätigungscode lautet [*]'],
  ['one_time_code', 'Ihre mTAN: 482913', 'Ihre mTAN: [*]'],
  ['one_time_code', 'Votre code de vérification : 482\u00a0913', 'Votre code de vérification : [*]'],
  ['one_time_code', 'Tu código es 482913', 'Tu código es [*]'],
  ['one_time_code', 'Il codice è 482913', 'Il codice è [*]'],
  ['one_time_code', '您的验证码是482913', '您的验证码是[*]'],
  ['one_time_code', 'Ваш код: 482913', 'Ваш код: [*]'],
  ['one_time_code', 'code ４８２９１３', 'code [*]'],
  ['one_time_code', 'see you in 2026', 'see you in 2026'],
  ['one_time_code', 'the 482913 cows', 'the 482913 cows'],
  ['one_time_code', 'code SAVE10 saves $1200', 'code SAVE10 saves $1200'],
  ['one_time_code', 'encode 482913 in the postcode', 'encode 482913 in the postcode'],
  ['api_key', `key sk-${KEY}`, 'key [*]'],
  ['api_key', 'AKIAIOSFODNN7EXAMPLE', '[*]'],
  ['api_key', `ghp_${KEY}${KEY}`, '[*]'],
  ['api_key', `token "sk-ant-${KEY}\u200b${KEY}"`, 'token "[*]"'],
  ['api_key', `API key: ${KEY}${KEY}`, 'API key: [*]'],
  ['api_key', `Authorization: Bearer ${KEY}.${KEY}`, 'Authorization: Bearer [*]'],
  ['api_key', 'risk-free and task-oriented-programming-languages', 'risk-free and task-oriented-programming-languages'],
  ['private_key', `-----BEGIN PRIVATE KEY-----\n${BODY}\n-----END PRIVATE KEY----- ok`, '[*] ok'],
  ['private_key', `my —–BEGIN OPENSSH PRIVATE KEY—– ${BODY} ${BODY}`, 'my [*]'],
  ['private_key', `rest: ${BODY}\n${BODY}\nAb3=\n-----END RSA PRIVATE KEY----- ok`, 'rest: [*] ok'],
  ['private_key', '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n-----END PGP PRIVATE KEY BLOCK-----', '[*]'],
  ['private_key', `-----BEGIN CERTIFICATE-----\n${BODY}`, `-----BEGIN CERTIFICATE-----\n${BODY}`],
];

describe('a detector', () => {
  for (const [name, text, wanted] of TABLE) {
    it(`${name} reads ${JSON.stringify(text)} as ${JSON.stringify(wanted)}`, () => {
      const { text: left, redacted } = createPrivacyFilter({ redact: [name], denyThreads: [] }).redact(text);
      expect(left).toBe(wanted.replaceAll('[*]', `[redacted:${name}]`));
      expect(redacted).toEqual(left === text ? [] : [name]);
    });
  }

  it('finds the codes that Messages marked, however the text shows them', () => {
    const filter = createPrivacyFilter({ redact: ['one_time_code'], denyThreads: [] });
    expect(filter.redact('Hier: 48-29 13 und AB12.', { codes: ['482913', 'ab12'] }).text).toBe(
      'Hier: [redacted:one_time_code] und [redacted:one_time_code].',
    );
    expect(filter.redact('1482913 and 4829', { codes: ['482913', '', '-(.*)+'] }).redacted).toEqual([]);
  });

  it('does not look for marked codes when it is not asked for', () => {
    const filter = createPrivacyFilter({ redact: ['iban'], denyThreads: [] });
    expect(filter.redact('482913', { codes: ['482913'] })).toEqual({ text: '482913', redacted: [] });
  });
});

describe('redacting', () => {
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
      ...['1', '1 ', '42 ', '4 ', '٤٢ ', '４', 'A', 'DE89 ', 'AD24 1200 ', 'sk-', 'eyJ', 'eyJaaaaaaaaaa.', '-', ' '],
      ...['code ', 'code 1234 ', '123-45-', 'ssn ', 'secret ', 'bearer=', '-----BEGIN PRIVATE KEY-----'],
      ...['-----END PRIVATE KEY-----', `${BODY} `, '--BEGIN A', '12345678:', 'A1B2C3D ', '\u200b', '💥4'],
    ];
    // Quadratic work on 200,000 characters would run into the time-out of the test.
    for (const piece of hostile) filter.redact(piece.repeat(200_000 / piece.length), { codes: ['1111', '42'] });
  });

  it('never throws, and never makes a text longer than its labels can', () => {
    const all = createPrivacyFilter({
      redact: [...names, { name: 'a_digit', pattern: '\\d' }, { name: 'line', pattern: '(?s)x.y' }],
      denyThreads: [],
    });
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '4242 4242 4242 4242',
        'code 123456',
        '\ud800',
        '\u200b',
        '٤',
        '-----BEGIN PRIVATE KEY-----',
        '1 ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const { text: left, redacted } = all.redact(text);
        expect(left.length).toBeLessThanOrEqual(text.length * 20 + 30);
        expect(redacted.length === 0).toBe(left === text);
      }),
    );
  });

  it('never leaves a card number, with whatever stands between its digits', () => {
    const filter = createPrivacyFilter({ redact: names, denyThreads: [] });
    const separator = fc.constantFrom('', ' ', '-', '.', '\u00a0', '\u200b', ' - ', '\n', '/', '_');
    const digits = fc.tuple(
      fc.constantFrom('2', '3', '4', '5', '6'),
      fc.stringMatching(/^\d{11,17}$/),
      fc.array(separator, { minLength: 19, maxLength: 19 }),
      fc.constantFrom('', 'a ', 'pay: ', '💥', '12, '),
    );
    fc.assert(
      fc.property(digits, ([first, rest, separators, before]) => {
        const card = withCheckDigit(first + rest);
        const shown = [...card].map((digit, at) => (at === 0 ? digit : separators[at] + digit)).join('');
        const { text, redacted } = filter.redact(`${before}${shown} thanks`);
        expect(redacted).toContain('payment_card');
        expect(text.replaceAll(/\[redacted:\w+\]/g, '').replaceAll(/\D/g, '')).toHaveLength(before === '12, ' ? 2 : 0);
      }),
    );
  });
});

/** The number with the digit that makes its Luhn sum a multiple of ten. */
function withCheckDigit(number: string): string {
  const digits = [...number].reverse().map(Number);
  const sum = digits.reduce(
    (all, digit, at) => all + (at % 2 === 0 ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit),
    0,
  );
  return `${number}${(10 - (sum % 10)) % 10}`;
}
