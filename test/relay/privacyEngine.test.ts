import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { createPrivacyFilter } from '../../src/relay/privacy.ts';

const { cache } = createRequire(import.meta.url);
const isLoaded = () => Object.keys(cache).some((path) => path.includes('/re2js/'));

it('the engine for patterns is loaded with the first pattern, and not by settings without any', () => {
  createPrivacyFilter({ redact: ['iban'], denyThreads: ['+15550100002'] });
  expect(isLoaded()).toBe(false);
  createPrivacyFilter({ redact: [{ name: 'code', pattern: 'a+' }], denyThreads: [] });
  expect(isLoaded()).toBe(true);
});
