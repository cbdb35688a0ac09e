import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CASES, caseOf, casesNamed, fileOf } from '../../scripts/faults/cases.ts';
import type { TestResult } from '../faults/harness/ResultLog.ts';
import type { CaseReport } from '../faults/harness/report.ts';
import { tempDir } from '../support/tempDir.ts';
import { runProgram } from './runProgram.ts';

const repository = resolve(import.meta.dirname, '../..');
const NEEDED = [
  'src/util/makeFolder.ts',
  'scripts/faults',
  'test/faults/harness',
  'test/support/patience.ts',
  'bench/BenchRow.ts',
  'package.json',
];
const MODULES = ['commander', 'fastest-levenshtein'];

const LINE: CaseReport = {
  case: 'C9',
  title: 'C9 survives',
  verdict: 'passed',
  runs: 20,
  lost: 0,
  doubled: 0,
  outOfOrder: 0,
  recoveriesMs: [100, 200, 900],
  gapP99Ms: 4,
  gapMaxMs: 31,
  seed: 7,
  tookMs: 1500,
};

/** A test as vitest has it in its report. */
interface Tested {
  file: string;
  status: TestResult['status'];
}

/** Of LINE what is another; undefined: left out. */
type Line = { [K in keyof CaseReport]?: CaseReport[K] | undefined };

let checkout: string;

beforeEach(() => {
  checkout = realpathSync(tempDir());
  mkdirSync(join(checkout, 'node_modules/vitest'), { recursive: true });
  for (const path of NEEDED) cpSync(join(repository, path), join(checkout, path), { recursive: true });
  writeFileSync(join(checkout, 'scripts/build.mjs'), '');
  for (const name of MODULES) symlinkSync(join(repository, 'node_modules', name), join(checkout, 'node_modules', name));
});

/** Runs the command with a vitest that writes down how it was called and reports what it is told to. */
async function testFaults(args: string[], tested: Tested[] = [], lines: Line[] = [], end = '') {
  const results = tested.map(({ file, status }): TestResult => {
    return { file: join(checkout, 'test/faults', file), title: file, status, tookMs: 1500, message: 'lost 1\n at all' };
  });
  const vitest = `
    import { writeFileSync } from 'node:fs';
    const { env, argv } = process;
    writeFileSync('called.json', JSON.stringify({ env, args: argv }));
    writeFileSync(env.FAULTS_RESULTS, ${JSON.stringify(results.map((result) => `${JSON.stringify(result)}\n`).join(''))});
    const lines = ${JSON.stringify(lines.map((line) => JSON.stringify({ ...LINE, ...line })).join('\n'))};
    if (lines !== '') writeFileSync(env.FAULTS_REPORT, lines + '\\n');
    process.exitCode = ${tested.some(({ status }) => status === 'failed') ? 1 : 0};
    ${end}`;
  writeFileSync(join(checkout, 'node_modules/vitest/vitest.mjs'), vitest);
  const { code, stdout, stderr } = await runProgram(process.execPath, ['scripts/faults/index.ts', ...args], {
    cwd: checkout,
  });
  return { code, stderr, rows: stdout.split('\n').map((line) => line.split(/ {2,}/)), stdout };
}
const called = () => JSON.parse(readFileSync(join(checkout, 'called.json'), 'utf8'));
const figures = (path = 'scripts/faults/results/faults.json') => JSON.parse(readFileSync(join(checkout, path), 'utf8'));
const of = (rows: string[][], id: string) => rows.find(([first]) => first === id);

describe('the table of cases', () => {
  const files = readdirSync(join(repository, 'test/faults')).filter((name) => name.endsWith('.test.ts'));

  it('has 93 of them, and the whole', () => {
    expect(Object.keys(CASES)).toHaveLength(94);
  });

  it('knows every test file there is', () => {
    const unknown = files.filter((name) => caseOf(join(repository, 'test/faults', name)) === undefined);
    expect(unknown).toEqual([]);
  });

  it('has a test file for each', () => {
    const bare = Object.keys(CASES).filter((id) => !files.some((name) => name.startsWith(fileOf(id))));
    expect(bare).toEqual([]);
  });

  it('is named by a letter, by letter and number in any writing, and by nothing else', () => {
    expect(casesNamed('T')).toEqual(['T1', 'T2', 'T3', 'T4']);
    for (const word of ['C9', 'c9', 'C09']) expect(casesNamed(word)).toEqual(['C9']);
    for (const word of ['C90', 'Z', 'toString', '']) expect(casesNamed(word)).toEqual([]);
  });
});

describe('test:faults', () => {
  it('tells vitest which files to run, one after the other, and the tests what was asked for', async () => {
    await testFaults(['C9', 'O10', '--kills', '1000', '--seed', '7', '--hours', '0.5', '--long']);
    const { env, args } = called();
    expect(args.slice(-2)).toEqual(['test/faults/C09-', 'test/faults/O10-']);
    const told = { FAULTS_KILLS: '1000', FAULTS_SEED: '7', FAULTS_HOURS: '0.5', FAULTS_LONG: '1', FAULTS_WORKERS: '1' };
    expect(env).toMatchObject(told);
  });

  it('refuses an option that none of its cases heeds, so that nobody takes three kills for a thousand', async () => {
    for (const [words, says] of [
      [['C5', '--kills', '1000'], /: --kills is for C9 and D6, which are not among the cases named\n$/],
      [['C9', 'D', '--runs', '200'], /--runs is for whole, which is not among/],
      [['whole', '--hours', '2'], /--hours is for O10, /],
      [['C', '--shrink'], /--shrink is for whole, /],
    ] as const) {
      expect(await testFaults([...words])).toMatchObject({ code: 2, stderr: expect.stringMatching(says) });
    }
    expect(called).toThrow('ENOENT');
  });

  it('runs the compiled agent, and nothing where it cannot be compiled', async () => {
    writeFileSync(join(checkout, 'scripts/build.mjs'), `(await import('node:fs')).writeFileSync('built', '')`);
    await testFaults(['C9']);
    expect(existsSync(join(checkout, 'built'))).toBe(true);
    expect(called().env).toMatchObject({ FAULTS_COMPILED: '1' });

    rmSync(join(checkout, 'called.json'));
    writeFileSync(join(checkout, 'scripts/build.mjs'), 'process.exitCode = 1');
    expect(await testFaults(['C9'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/: nothing was run\n$/) });
    expect(existsSync(join(checkout, 'called.json'))).toBe(false);
  });

  it('says so when it is interrupted while the agent is compiled', async () => {
    writeFileSync(
      join(checkout, 'scripts/build.mjs'),
      `process.kill(process.ppid, 'SIGINT'); setInterval(() => {}, 1e6)`,
    );
    const { code, stderr } = await testFaults(['C9']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('interrupted while') });
    expect(called).toThrow('ENOENT');
  });

  it('puts the tests of a case together in one row, with the quantiles of all recoveries', async () => {
    const file = 'C09-kills.test.ts';
    const second = { runs: 5, recoveriesMs: [50], gapMaxMs: 12, note: '7 messages a second' };
    const tested: Tested[] = [
      { file, status: 'passed' },
      { file, status: 'passed' },
    ];
    const { code, rows } = await testFaults(['C9'], tested, [{}, second]);
    expect(code).toBe(0);
    const figures = ['25', '0', '0', '0', '100', '900', '4', '31', '3.0 s'];
    expect(of(rows, 'C9')).toEqual(['C9', CASES.C9, ...figures, 'passed: 7 messages a second']);
  });

  it('fails with a failed test, and says its first line', async () => {
    const { code, rows } = await testFaults(['C9'], [{ file: 'C09-kills.test.ts', status: 'failed' }], [{ lost: 1 }]);
    expect(code).toBe(1);
    expect(of(rows, 'C9')?.at(-1)).toBe('FAILED: lost 1');
  });

  it('counts a case that cannot be run here as skipped, with the reason', async () => {
    const skipped = { case: 'C3', verdict: 'skipped', reason: 'needs strace', recoveriesMs: [] } as const;
    const { code, rows, stdout } = await testFaults(['C3'], [{ file: 'C03-a.test.ts', status: 'skipped' }], [skipped]);
    expect(code).toBe(0);
    expect(of(rows, 'C3')).toEqual(['C3', CASES.C3, '1.5 s', 'skipped: needs strace']);
    expect(stdout).toContain('0 passed, 0 failed, 1 skipped, 0 not run; ');
  });

  it('does not take a case for shown that nobody ran', async () => {
    const { code, rows } = await testFaults(['T'], [{ file: 'T01-a.test.ts', status: 'passed' }]);
    expect(code).toBe(1);
    expect(rows.flat().filter((cell) => cell === 'not run')).toHaveLength(3);
  });

  it('tells what was shown before it is interrupted, leaves nothing behind, and keeps the figures of the last whole run', async () => {
    await testFaults([]);
    const whole = figures();
    const left = `writeFileSync(env.TMPDIR + '/left', '');`;
    const interrupted = `${left} process.kill(process.ppid, 'SIGINT');`;
    const { code, rows, stdout } = await testFaults(
      [],
      [
        { file: 'C09-a.test.ts', status: 'begun' },
        { file: 'C09-a.test.ts', status: 'passed' },
        { file: 'C10-a.test.ts', status: 'begun' },
      ],
      [{}],
      interrupted,
    );
    expect(code).toBe(1);
    expect(of(rows, 'C9')).toContain('900');
    expect(of(rows, 'C9')?.at(-1)).toBe('passed');
    expect(of(rows, 'C10')).toEqual(['C10', CASES.C10, 'interrupted']);
    expect(stdout).toContain('interrupted: 1 passed, 0 failed, 0 skipped, 1 interrupted, 92 not run; ');
    expect(figures()).toEqual(whole);
    expect(figures('scripts/faults/results/some.json')).toMatchObject({ isInterrupted: true });
    expect(existsSync(called().env.TMPDIR)).toBe(false);
  });

  it('ends what the tests had started before it takes their folder away, which is not written anew', async () => {
    const agent = `setInterval(() => require('node:fs').mkdirSync(process.env.TMPDIR + '/state', { recursive: true }), 1); setTimeout(process.exit, 1e4)`;
    const interrupted = `
      const { spawn } = await import('node:child_process');
      const { pid } = spawn(process.execPath, ['-e', ${JSON.stringify(agent)}], { stdio: 'ignore' });
      writeFileSync('agent', String(pid));
      while (!(await import('node:fs')).existsSync(env.TMPDIR + '/state')) await new Promise((done) => setTimeout(done, 5));
      process.kill(process.ppid, 'SIGINT');`;
    const { code, stderr } = await testFaults(['C9'], [], [], interrupted);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const agentPid = Number(readFileSync(join(checkout, 'agent'), 'utf8'));
    expect(() => process.kill(agentPid, 0)).toThrow('ESRCH');
    expect(existsSync(called().env.TMPDIR)).toBe(false);
  });

  it('keeps the figures of the last whole run when only some cases are run', async () => {
    await testFaults([]);
    const whole = figures();
    await testFaults(['C9'], [{ file: 'C09-a.test.ts', status: 'passed' }], [{}]);
    expect(figures()).toEqual(whole);
    expect(figures('scripts/faults/results/some.json').rows).toHaveLength(1);
  });

  it('marks an event loop that was held up for too long, and fails for it only when told to', async () => {
    const tested: Tested[] = [{ file: 'C09-kills.test.ts', status: 'passed' }];
    const { code, rows, stdout } = await testFaults(['C9'], tested, [{ gapMaxMs: 250 }]);
    expect(stdout).toContain('“loop held up” is a failure only with --check.');
    expect([code, of(rows, 'C9')?.at(-1)]).toEqual([0, 'passed, loop held up']);
    expect((await testFaults(['C9', '--check'], tested, [{ gapMaxMs: 250 }])).code).toBe(1);
    expect((await testFaults(['C9', '--check'], tested, [{}])).code).toBe(0);
  });

  it('writes the figures with date, seed and machine, where it is told to', async () => {
    await testFaults(
      ['C9', '--seed', '7', '--json', 'out/f.json'],
      [{ file: 'C09-a.test.ts', status: 'passed' }],
      [{}],
    );
    expect(figures('out/f.json')).toMatchObject({
      date: expect.stringMatching(/^20\d\d-/),
      seed: 7,
      told: { FAULTS_SEED: '7' },
      version: JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).version,
      commit: null,
      machine: { node: process.versions.node },
      rows: [{ case: 'C9', verdict: 'passed', runs: 20, recoveryP99Ms: 900 }],
      reports: [{ title: 'C9 survives' }],
    });
  });

  it('refuses a file that cannot be written before anything is run', async () => {
    writeFileSync(join(checkout, 'a-file'), '');
    const { code, stderr } = await testFaults(['C9', '--json', 'a-file/f.json']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^test:faults: the figures cannot be .*a-file'\n$/),
    });
    expect(called).toThrow('ENOENT');
  });

  it('shows no figure of what was lost where a case compared nothing', async () => {
    const tested: Tested[] = [
      { file: 'C09-a.test.ts', status: 'passed' },
      { file: 'O02-a.test.ts', status: 'passed' },
    ];
    const nothing = { lost: undefined, doubled: undefined, outOfOrder: undefined };
    await testFaults(['C9', 'O2', '--json', 'f.json'], tested, [{}, nothing, { ...nothing, case: 'O2' }]);
    const [c9, o2] = figures('f.json').rows;
    expect(c9).toMatchObject({ case: 'C9', lost: 0, doubled: 0, outOfOrder: 0 });
    expect(o2).toMatchObject({ case: 'O2', runs: 20 });
    for (const name of Object.keys(nothing)) expect(o2).not.toHaveProperty(name);
  });

  it.runIf(existsSync('/proc/self'))('does not hang where a folder is there in which none can be made', async () => {
    const { code, stderr } = await testFaults(['C9', '--json', '/proc/none/f.json']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("mkdir '/proc/none'") });
  });

  it('tells what was measured where the file cannot be written in the end', async () => {
    const tested: Tested[] = [{ file: 'C09-a.test.ts', status: 'passed' }];
    const gone = `(await import('node:fs')).rmSync('out', { recursive: true })`;
    const { code, rows, stderr } = await testFaults(['C9', '--json', 'out/f.json'], tested, [{}], gone);
    expect(of(rows, 'C9')?.at(-1)).toBe('passed');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^test:faults: the figures could not be written: ENOENT.*\n$/),
    });
  });

  it('proposes no case to a word that is like none', async () => {
    expect((await testFaults(['nonsense'])).stderr).not.toContain('Did you mean');
  });

  it.each([
    [['C99'], 'Did you mean C9?'],
    [['hole'], 'Did you mean whole?'],
    [['C9', '5'], 'npm hands options on only after --'],
    [['--kils', '3'], 'Did you mean --kills?'],
    [['--kills', 'many'], 'a whole number'],
    [['--hours', '0'], 'above 0'],
  ])('refuses %j and runs nothing', async (args, said) => {
    const { code, stderr } = await testFaults(args);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
    expect(called).toThrow('ENOENT');
  });
});
