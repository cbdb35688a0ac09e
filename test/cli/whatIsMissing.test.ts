import { describe, expect, it } from 'vitest';
import { whatIsMissing } from '../../src/cli/service/whatIsMissing.ts';

const asked = (stdout: string) =>
  whatIsMissing({
    run: async () => ({ exitCode: 2, stdout, stderr: 'oops\nmore', timedOut: false }),
    node: '/node',
    program: '/program',
    config: '/config.yaml',
    agent: undefined,
  });

describe('what is missing after an install', () => {
  it('is what doctor found, but not what it did not find out in time', async () => {
    const checks = [
      { name: 'sleep', status: 'fail', text: 'it sleeps', fix: 'pmset' },
      { name: 'macos', status: 'warn', text: 'not found out within 2 s', fix: 'again', unknown: true },
      { name: 'disk', status: 'pass', text: 'room', fix: null },
    ];
    expect(await asked(JSON.stringify({ checks }))).toEqual({
      missing: ['sleep: it sleeps\n     pmset'],
      unknown: ['macos: not found out within 2 s\n     again'],
    });
  });

  it('is doctor itself where that says nothing', async () => {
    expect(await asked('')).toEqual({ missing: ['doctor: oops\n     Run `edge-agent doctor`.'], unknown: [] });
  });
});
