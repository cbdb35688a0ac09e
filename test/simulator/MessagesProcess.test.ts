import { describe, expect, it } from 'vitest';
import type { SimulatedMac } from '../../src/simulator/SimulatedMac.ts';
import { waitFor } from '../support/waitFor.ts';
import { type Ended, run, send, simulatedMac } from './simulatedMac.ts';

const IS_RUNNING = 'application "Messages" is running';
const PROBE = `if application "Messages" is not running then error "no" number -600
tell application "Messages" to count of accounts`;
const OPEN = `if application "Messages" is running then return "running"
do shell script "/usr/bin/open -gja Messages"
return "launched"`;
const QUIT = 'tell application "Messages" to quit';
const killall = (signal: string) => `do shell script "/usr/bin/killall -${signal} Messages || true"`;

function asking(mac: SimulatedMac): (script: string) => Promise<Ended> {
  return (script) => run(mac.osascriptPath, ['-'], { input: `${script}\n` });
}

describe('the simulated Messages as a process', () => {
  it('says whether it runs, and is opened when it does not', async () => {
    const mac = await simulatedMac();
    const ask = asking(mac);
    expect((await ask(IS_RUNNING)).stdout).toBe('true\n');
    expect((await ask(OPEN)).stdout).toBe('running\n');
    await ask(QUIT);
    expect((await ask(IS_RUNNING)).stdout).toBe('false\n');
    expect((await ask(PROBE)).stderr).toContain('(-600)');
    expect((await ask(OPEN)).stdout).toBe('launched\n');
    expect((await ask(PROBE)).stdout).toBe('1\n');
    expect(mac.messages.process).toMatchObject({ ends: 1, launches: 1 });
  });

  it('ends by a signal, whatever Automation allows', async () => {
    const mac = await simulatedMac();
    mac.messages.automation = 'denied';
    expect((await asking(mac)(killall('TERM'))).code).toBe(0);
    expect(mac.messages.process.isRunning).toBe(false);
  });

  it('answers nothing while it hangs, and does what waits when it goes on', async () => {
    const mac = await simulatedMac();
    mac.messages.process.hang();
    const sending = send(mac, { text: 'late' });
    await waitFor('the request', () => mac.messages.process.unanswered === 1);
    expect(mac.messages.effects).toEqual([]);
    mac.messages.process.recover();
    expect((await sending).code).toBe(0);
    expect(mac.messages.effects.map(({ text }) => text)).toEqual(['late']);
  });

  it('does late what was asked by an osascript that is gone', async () => {
    const mac = await simulatedMac();
    mac.messages.process.hang();
    const impatient = new AbortController();
    const sending = send(mac, { text: 'late', signal: impatient.signal });
    await waitFor('the request', () => mac.messages.process.unanswered === 1);
    impatient.abort();
    await sending;
    mac.messages.process.recover();
    await waitFor('the bubble', () => mac.messages.effects.length === 1);
  });

  it('loses what waits when it ends', async () => {
    const mac = await simulatedMac();
    mac.messages.process.hang();
    const sending = send(mac);
    await waitFor('the request', () => mac.messages.process.unanswered === 1);
    await asking(mac)(killall('TERM'));
    expect((await sending).stderr).toContain('(-609)');
    expect(mac.messages.effects).toEqual([]);
  });

  it.each([
    ['SIGTERM', ['TERM', 'KILL']],
    ['SIGKILL', ['KILL']],
    ['never', []],
  ] as const)('hanging up to %s is ended by %j', async (endsAt, signals: readonly string[]) => {
    for (const signal of ['TERM', 'KILL']) {
      const mac = await simulatedMac();
      mac.messages.process.hang(endsAt);
      await asking(mac)(killall(signal));
      expect(mac.messages.process.isRunning).toBe(!signals.includes(signal));
    }
  });
});
