import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const HANDLE = '+15550100002';
const T = '[2026-01-01T00:00:00.000Z]';

/** The texts of a bundle, by name; what stands in manifest.json of what is missing is in it too. */
function bundle(path: string): Record<string, string> {
  const files = Object.entries(unzipSync(readFileSync(path)));
  return Object.fromEntries(files.map(([name, bytes]) => [name, strFromU8(bytes)]));
}

describe('edge-agent diagnose', () => {
  it('waits for nobody where the log is a pipe, and says that there is no file', async () => {
    const { dir, config, log } = home();
    spawnSync('mkfifo', [log]);
    const { code } = await edgeAgent(['diagnose', '--config', config, '--output', join(dir, 'b.zip')]);
    expect(code).toBe(0);
    expect(bundle(join(dir, 'b.zip'))['manifest.json']).toContain('there is no file');
  });

  it.each(['', '/'])('knows a handle where the home folder is "%s"', async (HOME) => {
    const { dir, config, log } = home();
    writeFileSync(log, `${T} [INFO] Message from ${HANDLE}\n`);
    await edgeAgent(['diagnose', '--config', config, '--output', join(dir, 'b.zip')], { env: { HOME } });
    const files = bundle(join(dir, 'b.zip'));
    expect(files['log.txt']).toBe(`${T} [INFO] Message from …0002\n`);
    expect(files['config.json']).toContain('"edge.agent_id": "edge_…0001"');
  });

  it('leaves nothing behind where the bundle cannot be put', async () => {
    const { dir, config } = home();
    const output = join(dir, 'folder');
    mkdirSync(output);
    const { code, err } = await edgeAgent(['diagnose', '--config', config, '--output', output]);
    expect({ code, err }).toEqual({ code: 74, err: expect.stringContaining('the bundle cannot be written') });
    expect(readdirSync(dir).filter((name) => name.startsWith('folder'))).toEqual(['folder']);
  });

  it('does not follow a link that lies where the bundle is made', async () => {
    const { dir, config } = home();
    const [output, elsewhere] = [join(dir, 'b.zip'), join(dir, 'elsewhere')];
    for (const link of [output, `${output}.unfinished`]) spawnSync('ln', ['-s', elsewhere, link]);
    const { code } = await edgeAgent(['diagnose', '--config', config, '--output', output]);
    expect(code).toBe(0);
    expect(existsSync(elsewhere)).toBe(false);
    expect(bundle(output)['manifest.json']).toBeDefined();
  });

  it('leaves out what a backend answered to a message that was set aside, which may be the message', async () => {
    const { dir, config, state } = home();
    const store = StateStore.open(join(state, 'state.db'), 1);
    store.transaction(() => {
      const body = { filtered_text: 'canary' } as never;
      store.inbound.insert({ guid: 'G-1', epoch: 1, chatRowid: 5, threadId: HANDLE, body, backfill: false, now: 1 });
      store.inbound.markDead('G-1', 'EDGE_BACKEND_REJECTED', 'POST /edge/message was answered 422: canary');
    });
    store.close();
    await edgeAgent(['diagnose', '--config', config, '--output', join(dir, 'b.zip')]);
    const files = bundle(join(dir, 'b.zip'));
    expect(JSON.parse(files['status.json']!).dead_letters).toMatchObject([{ guid: 'G-1', thread: '…0002' }]);
    expect(Object.values(files).join('\n')).not.toContain('canary');
  });
});
