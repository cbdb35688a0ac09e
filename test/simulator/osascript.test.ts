import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { run, send, simulatedMac } from './simulatedMac.ts';

describe('the osascript stand-in', () => {
  it.each([
    ['quotes and backslashes', `"double" 'single' \\n \\\\ $(date) \`date\` %s`],
    ['line breaks', 'one\ntwo\r\nthree\n\n'],
    ['emoji and right-to-left text', '👩‍👩‍👧 \u202eשלום مرحبا'],
    ['line and paragraph separators', 'a\u2028b\u2029c'],
    ['AppleScript', '" & (do shell script "touch /") & "'],
    ['a leading dash', '-e'],
    ['spaces alone', '   '],
    ['100 kB', 'ä'.repeat(50_000)],
  ])('delivers %s byte for byte', async (_, text) => {
    const mac = await simulatedMac();
    expect(await send(mac, { text })).toMatchObject({ code: 0, stderr: '' });
    expect(mac.messages.effects.map((effect) => effect.text)).toEqual([text]);
    expect(mac.messages.effects[0]!.bytes).toBe(Buffer.byteLength(text));
  });

  it('takes the script from -e, from a file or from stdin', async () => {
    const mac = await simulatedMac();
    const script = 'on run argv\n  tell application "Messages" to get name\nend run\n';
    const file = join(tempDir(), 'send it.applescript');
    writeFileSync(file, script);
    const request = ['participant', '+15550100001', 'iMessage', 'hello'];
    for (const [args, input] of [
      [['-e', 'on run argv', '-e', 'end run', ...request], ''],
      [['-l', 'AppleScript', '-', ...request], script],
      [[file, ...request], ''],
    ] as const) {
      expect((await run(mac.osascriptPath, args, { input })).code).toBe(0);
    }
    expect(mac.messages.effects).toHaveLength(3);
    expect(await run(mac.osascriptPath, [], { input: script })).toMatchObject({ code: 0, stdout: 'Messages\n' });
  });

  it('answers probes of Messages, and fails at what is no AppleScript of use', async () => {
    const mac = await simulatedMac();
    const ask = (script: string) => run(mac.osascriptPath, ['-e', script]);
    expect(await ask('tell application "Messages" to get name')).toMatchObject({ code: 0, stdout: 'Messages\n' });
    expect(await ask('tell application "Messages" to count accounts')).toMatchObject({ code: 0, stdout: '1\n' });
    expect((await ask('nonsense')).stderr).toContain('(-2741)');
    expect((await run(mac.osascriptPath, ['/nowhere.scpt'])).stderr).toContain('No such file');
  });

  it('quits and launches Messages when told to', async () => {
    const mac = await simulatedMac();
    const ask = (script: string) => run(mac.osascriptPath, ['-e', script]);
    await ask('tell application "Messages" to quit');
    expect((await ask('tell application "Messages" to get name')).stderr).toContain('(-600)');
    expect((await ask('tell application "Messages" to launch')).code).toBe(0);
    expect((await send(mac)).code).toBe(0);
  });

  it('shows a probe the same permission as a send', async () => {
    const mac = await simulatedMac();
    mac.messages.automation = 'denied';
    const ended = await run(mac.osascriptPath, ['-e', 'tell application "Messages" to get name']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('(-1743)');
  });

  it('fails with -600 when the Mac is off', async () => {
    const mac = await simulatedMac();
    await mac.close();
    expect((await send(mac)).stderr).toContain('Application isn’t running. (-600)');
  });

  it('fails with -609 when the Mac is turned off under it', async () => {
    const mac = await simulatedMac();
    mac.messages.behave({ hang: 'before-effect' });
    const sending = send(mac);
    await waitFor('the request', () => mac.messages.requests.length === 1);
    await mac.close();
    expect((await sending).stderr).toContain('(-609)');
  });

  it('serves many at once', async () => {
    const mac = await simulatedMac();
    const texts = Array.from({ length: 20 }, (_, index) => `bubble ${index}`);
    const ended = await Promise.all(texts.map((text) => send(mac, { text })));
    expect(ended.map(({ code }) => code)).toEqual(texts.map(() => 0));
    expect(mac.messages.effects.map(({ text }) => text).sort()).toEqual(texts.sort());
  });

  it('is readable to its owner only, and the server does nothing without what it holds', async () => {
    const mac = await simulatedMac();
    expect(statSync(mac.osascriptPath).mode & 0o777).toBe(0o700);
    const port = Number(readFileSync(mac.osascriptPath, 'utf8').match(/^port='(\d+)'$/m)![1]);
    const stranger = connect(port, '127.0.0.1');
    stranger.on('error', () => {});
    stranger.write('wrong\0\x004\0participant\0+15550100001\0iMessage\0hello\0\0');
    stranger.resume();
    await once(stranger, 'close');
    expect(mac.messages.requests).toEqual([]);
  });
});
