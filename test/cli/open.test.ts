import { mkdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { open } from '../../src/cli/open.ts';
import { ControlServer, controlSocketPath } from '../../src/ops/ControlServer.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const URL = 'http://127.0.0.1:8377/open?token=abc';

/** `edge-agent open` at a desk, beside an agent that answers so. */
async function atDesk(answer: object, run: () => Promise<{ exitCode: number; stderr: string }>, browser = true) {
  const { config, state, dir } = home();
  const control = new ControlServer({
    path: controlSocketPath(state),
    routes: { 'POST /open': () => ({ body: answer }) },
  });
  mkdirSync(state, { recursive: true });
  await control.start();
  onTestFinished(() => control.stop());
  const said = { out: '', err: '', runs: [] as string[][] };
  const io = {
    out: (text: string) => {
      said.out += text;
    },
    err: (text: string) => {
      said.err += text;
    },
    env: {},
    cwd: dir,
    exit: () => {
      throw new Error('exit');
    },
  };
  const code = await open({ config, browser }, io, {
    isManned: true,
    run: async (name, args) => {
      said.runs.push([name, ...args]);
      return { stdout: '', timedOut: false, ...(await run()) };
    },
  });
  return { code, ...said };
}
const works = async () => ({ exitCode: 0, stderr: '' });

describe('edge-agent open', () => {
  it('prints the link and opens it where somebody sits at the Mac', async () => {
    const { code, out, runs } = await atDesk({ url: URL, port: 8377 }, works);
    expect({ code, out, runs }).toEqual({ code: 0, out: `${URL}\n`, runs: [['open', URL]] });
  });

  it('prints it alone with --no-browser', async () => {
    const { out, runs } = await atDesk({ url: URL, port: 8377 }, works, false);
    expect({ out, runs }).toEqual({ out: `${URL}\n`, runs: [] });
  });

  it.each([
    ['open fails', async () => ({ exitCode: 1, stderr: 'no application knows how' })],
    [
      'there is no open',
      async () => {
        throw new EdgeError('EDGE_PROGRAM_MISSING', 'open cannot be run');
      },
    ],
  ])('says that the link is to be opened by hand where %s', async (_case, run) => {
    const { code, out, err } = await atDesk({ url: URL, port: 8377 }, run);
    expect({ code, out }).toEqual({ code: 0, out: `${URL}\n` });
    expect(err).toMatch(/no browser was opened \(.+\); open the link by hand/);
  });

  it('says how to turn the page on', async () => {
    const { code, err } = await atDesk({ url: null, port: 0 }, works);
    expect(code).toBe(69);
    expect(err).toContain('edge-agent config set monitoring.port 8377');
  });

  it('says when another program has the port', async () => {
    const { code, err } = await atDesk({ url: null, port: 9000 }, works);
    expect(code).toBe(69);
    expect(err).toContain('lsof -i :9000');
  });

  it('says that no agent runs', async () => {
    const { code, err, out } = await edgeAgent(['open', '--config', home().config]);
    expect({ code, out }).toEqual({ code: 69, out: '' });
    expect(err).toContain('EDGE_NOT_RUNNING');
  });
});
