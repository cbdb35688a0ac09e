import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');
const formula = readFileSync(join(repository, 'docs/homebrew/edge-agent.rb.template'), 'utf8');
const code = formula.replace(/^ *#.*$/gm, '').replace(/<<~EOS\n[\s\S]*?^ *EOS$/gm, '""');
const { description, license, bin } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
const hasRuby = spawnSync('ruby', ['--version']).status === 0;

describe('the Homebrew formula', () => {
  it.runIf(hasRuby)('is Ruby', () => {
    const { status, stderr } = spawnSync('ruby', ['-c'], { input: formula, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('has an end for each block, and a closing quote for each quote', () => {
    const opened = code.match(/^\s*(class|def)\b|\bdo\s*$/gm)!.length;
    expect(code.match(/^\s*end$/gm)).toHaveLength(opened);
    for (const line of code.split('\n'))
      expect(line.match(/"/g)?.length ?? 0, line).toSatisfy((n: number) => n % 2 === 0);
  });

  it('explains each mark that is to be filled in, and has no other', () => {
    const marks = new Set([...code.matchAll(/@([A-Z0-9]+)@/g)].map(([mark]) => mark));
    const explained = new Set([...formula.matchAll(/^# +(@[A-Z0-9]+@) /gm)].map(([, mark]) => mark));
    expect(marks).toEqual(explained);
    expect(code).toMatch(/^ {2}url "@URL@"\n {2}sha256 "@SHA256@"$/m);
  });

  it('says what package.json says', () => {
    expect(description).toContain(/desc "(.*)"/.exec(code)![1]);
    expect(code).toContain(`license "${license}"`);
    expect(code).toContain('depends_on "node"');
    for (const program of Object.keys(bin)) expect(code).toContain(`#{bin}/${program} --version`);
  });

  it('names the private Node that macOS gives its permissions to, and starts nothing by brew services', () => {
    expect(formula).toContain('~/Library/Application Support/edge-agent/runtime/bin/edge-agent-node');
    expect(formula).toContain('Full Disk Access');
    expect(code).not.toMatch(/^\s*service do/m);
  });
});
