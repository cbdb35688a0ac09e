import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Rig } from '../../scripts/rig/Rig.ts';
import { startRig } from '../support/startRig.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const BYTES = Buffer.from('BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\nEND:VCARD\r\n');
const FILE = { thread_id: ANN, data_base64: BYTES.toString('base64'), name: 'ann.vcf', mime_type: 'text/vcard' };
const GOT = { name: 'ann.vcf', bytes: BYTES.length, sha256: createHash('sha256').update(BYTES).digest('hex') };

/** What the person sees, in order: texts, and the names of files. */
function seen(rig: Rig): string[] {
  return rig.mac.messages.effects.map(({ text, file }) => file?.name ?? text);
}

async function outcome(rig: Rig, commandId: string): Promise<string> {
  let state = '';
  await waitFor('the outcome', async () => {
    ({ state } = await rig.commandState(commandId));
    return ['completed', 'failed'].includes(state);
  });
  return state;
}

describe('send_attachment', () => {
  it('sends a file under its own name, then its caption, then what comes later', async () => {
    const rig = await startRig();
    const id = await rig.command('send_attachment', { ...FILE, caption: 'my card' });
    await rig.command('send_message_now', { thread_id: ANN, text: 'later' });
    expect(await outcome(rig, id)).toBe('completed');
    await waitFor('all three', () => seen(rig).length === 3);
    expect(seen(rig)).toEqual(['ann.vcf', 'my card', 'later']);
    expect(rig.mac.messages.effects[0]!.file).toEqual(GOT);
  });

  it('fails for an address that is not public, and lets the next bubble go', async () => {
    const rig = await startRig();
    const { data_base64: _, ...rest } = FILE;
    const id = await rig.command('send_attachment', { ...rest, url: 'https://169.254.169.254/latest/meta-data/' });
    await rig.command('send_message_now', { thread_id: ANN, text: 'next' });
    expect(await outcome(rig, id)).toBe('failed');
    const { error } = await rig.commandState(id);
    expect(error).toBe('EDGE_FILE_REFUSED: its host has an address that is not public');
    await waitFor('the next bubble', () => seen(rig).length === 1);
    expect(seen(rig)).toEqual(['next']);
  });

  it('fails with the number when Messages may not read where it is staged', async () => {
    const rig = await startRig({ config: { attachments: { staging_dir: join(tempDir(), 'elsewhere') } } });
    const id = await rig.command('send_attachment', FILE);
    expect(await outcome(rig, id)).toBe('failed');
    expect((await rig.commandState(id)).error).toMatch(/^EDGE_SEND_REFUSED: message\.error 25: /);
  });
});

describe('killed by SIGKILL', () => {
  it('after the file went out: it is not sent again', async () => {
    const rig = await startRig();
    rig.mac.messages.behave({ afterEffect: async () => void (await rig.agent.kill('SIGKILL')) });
    const id = await rig.command('send_attachment', FILE);
    await waitFor('the kill', () => !rig.agent.isRunning);
    await rig.startAgent();
    expect(await outcome(rig, id)).toBe('completed');
    await rig.command('send_message_now', { thread_id: ANN, text: 'next' });
    await waitFor('the next bubble', () => seen(rig).length >= 2);
    expect(seen(rig)).toEqual(['ann.vcf', 'next']);
  });

  it('when the file never went out: it is sent once, from where it is staged', async () => {
    const rig = await startRig({ config: { sending: { settle_seconds: 1 } } });
    rig.mac.messages.behave({ beforeEffect: async () => void (await rig.agent.kill('SIGKILL')), swallow: true });
    const id = await rig.command('send_attachment', FILE);
    await waitFor('the kill', () => !rig.agent.isRunning);
    await rig.startAgent();
    expect(await outcome(rig, id)).toBe('completed');
    expect(rig.mac.messages.effects.map(({ file }) => file)).toEqual([GOT]);
  });

  it('while the file waits behind another bubble: it follows, and leftovers of staging are gone', async () => {
    const rig = await startRig();
    const staging = join(rig.mac.attachmentsPath, 'edge-agent');
    let killed = false;
    rig.mac.messages.behave({
      beforeEffect: async () => {
        await rig.command('send_attachment', FILE);
        await waitFor('the file to be staged', () => existsSync(staging) && rig.agent.log.includes('is ready'));
        await rig.agent.kill('SIGKILL');
        killed = true;
      },
    });
    await rig.command('send_message_now', { thread_id: ANN, text: 'first' });
    await waitFor('the kill', () => killed);
    await rig.startAgent();
    await waitFor('both', () => seen(rig).length === 2);
    expect(seen(rig)).toEqual(['first', 'ann.vcf']);
    expect(readdirSync(staging)).toHaveLength(1);
  });
});
