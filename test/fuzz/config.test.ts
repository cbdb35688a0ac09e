import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigError } from '../../src/config/ConfigError.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { configSchema } from '../../src/config/schema.ts';
import { tempDir } from '../support/tempDir.ts';
import { FUZZ_MS, fuzz } from './fuzzing.ts';
import { damagedBytes } from './inputs.ts';

const EXAMPLE = readFileSync(resolve(import.meta.dirname, '../../config.yaml.example'), 'utf8');
const SHORT = 'edge:\n  agent_id: edge_15550100001\nbackend:\n  url: https://backend.example.com\n';
/** What YAML has for those who look for trouble. */
const TROUBLE = [
  `k: &a 1\nl: [${'*a,'.repeat(50)}]\n`,
  'a: &a [*a]\n',
  `a: &a [x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: [${'*b,'.repeat(9)}*b]\n`,
  '<<: *gone\n',
  '? {a: b}\n: c\n',
  '? [a]\n: c\n',
  '? |\n  x\n: c\n',
  '!!js/function x: 1\n',
  '!!binary aGk=\n',
  '!!set {a, b}\n',
  '%YAML 9.9\n---\n',
  'edge: {__proto__: {polluted: 1}, constructor: {prototype: {polluted: 1}}}\n',
  '__proto__:\n  polluted: 1\n',
  `x: ${'['.repeat(2_000)}\n`,
  `x: ${'{a: '.repeat(2_000)}\n`,
  `${'- '.repeat(2_000)}x\n`,
  `edge:\n  agent_id: "${'x'.repeat(50_000)}"\n`,
  'privacy:\n  patterns: [{name: a, pattern: "(a+)+$"}, {name: b, pattern: "("}]\n',
  'sending: {rate: {per_minute: .inf, per_hour: .nan, new_threads_per_day: 0x10}}\n',
  '\ufeffedge:\n\tagent_id: x\n',
].map((text) => Buffer.from(text));
const AT_FAULT = /^\d+:\d+ {2}\S/;

it('reads any config.yaml, or says at which line and column it is wrong', { timeout: FUZZ_MS }, async () => {
  const file = join(tempDir(), 'config.yaml');
  const isSound = (text: Buffer) => {
    writeFileSync(file, text);
    try {
      expect(configSchema.safeParse(loadConfig(file)).error).toBeUndefined();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems.length).toBeGreaterThan(0);
      expect(error.message).not.toContain('Error:');
      for (const { line, column, text } of error.problems) {
        const isWholeFile = /UTF-8|bytes, expected/.test(text);
        if (!isWholeFile) expect(`${line}:${column}  ${text}`).toMatch(AT_FAULT);
      }
    }
  };
  for (const text of TROUBLE) for (const before of ['', SHORT]) isSound(Buffer.concat([Buffer.from(before), text]));
  const samples = [Buffer.from(EXAMPLE), Buffer.from(SHORT), ...TROUBLE];
  const lines = fc
    .array(fc.constantFrom(...EXAMPLE.split('\n'), ...TROUBLE.map(String)), { maxLength: 40 })
    .map((lines) => Buffer.from(lines.join('\n')));
  await fuzz('config', 300, fc.oneof(damagedBytes(samples), lines), isSound);
});
