import { appendFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

const line = (n: number, level = 'INFO') =>
  `[2026-11-15T06:00:${String(n % 60).padStart(2, '0')}.000Z] [${level}] line ${n}\n`;

describe('edge-agent logs', () => {
  it('shows the last lines through the rotated files, and those that are asked for', async () => {
    const { config, log } = home();
    writeFileSync(`${log}.1`, Array.from({ length: 30 }, (_, n) => line(n, n % 10 === 0 ? 'WARN' : 'INFO')).join(''));
    writeFileSync(log, [line(30, 'ERROR'), line(31)].join(''));
    const logs = (...args: string[]) => edgeAgent(['logs', '--config', config, ...args]);
    const [last, warnings, found, since, all] = await Promise.all([
      logs('-n', '3'),
      logs('--level', 'warn', '--lines', '3'),
      logs('--grep', 'LINE 2', '--since', '2026-11-15T06:00:25Z'),
      logs('--since', '1h'),
      edgeAgent(['service', 'logs', '--config', config]),
    ]);
    expect(last).toMatchObject({ code: 0, err: '', out: line(29) + line(30, 'ERROR') + line(31) });
    expect(warnings.out).toBe(line(10, 'WARN') + line(20, 'WARN') + line(30, 'ERROR'));
    expect(found.out).toBe([25, 26, 27, 28, 29].map((n) => line(n)).join(''));
    expect(since).toMatchObject({ code: 0, out: '' });
    expect(all.out.split('\n')).toHaveLength(33);
  });

  it('follows over a rotation until it is interrupted, and shows no colour in a pipe', async () => {
    const { config, log } = home();
    writeFileSync(log, line(1));
    const { child, ended } = start(['logs', '-f', '--level', 'warn', '--config', config]);
    let out = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    appendFileSync(log, line(2, 'WARN'));
    await waitFor('the second line', () => out.includes('line 2'));
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, line(3, 'ERROR'));
    writeFileSync(log, line(4) + line(5, 'ERROR'));
    await waitFor('the line of the new file', () => out.includes('line 5'));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 0, err: '' });
    expect(out).toBe(line(2, 'WARN') + line(3, 'ERROR') + line(5, 'ERROR'));
  });

  it('says that there is no log, and waits for one where it follows', async () => {
    const { config, log } = home();
    expect(await edgeAgent(['logs', '--config', config])).toMatchObject({
      code: 69,
      out: '',
      err: `edge-agent: there is no log at ${log}\n`,
    });
    const { child, ended } = start(['logs', '-f', '--config', config]);
    child.stderr!.once('data', () => writeFileSync(log, line(1)));
    child.stdout!.once('data', () => child.kill('SIGTERM'));
    expect(await ended).toMatchObject({ code: 0, out: line(1) });
    expect(existsSync(log)).toBe(true);
  });

  it('finds the log of a configuration that has problems elsewhere', async () => {
    const { config, log } = home('monitring:\n  port: 1\n');
    writeFileSync(log, line(1));
    expect(await edgeAgent(['logs', '--config', config])).toMatchObject({ code: 0, out: line(1) });
  });

  it.each([
    [['--since', 'yesterday'], 'expected such as'],
    [['--level', 'loud'], 'Allowed choices are debug, info, warn, error'],
    [['--lines', 'ten'], 'expected a number of lines'],
  ])('refuses %j', async (args, words) => {
    expect(await edgeAgent(['logs', ...args])).toMatchObject({ code: 64, err: expect.stringContaining(words) });
  });
});
