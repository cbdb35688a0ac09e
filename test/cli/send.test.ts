import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { controlSocketPath } from '../../src/ops/ControlServer.ts';
import { edgeAgent, home } from './edgeAgent.ts';

/** What `edge-agent send` ends with where these are the answers of whoever listens at the control socket. */
async function sendTo(answer: (server: Server) => void) {
  const { config, state } = home();
  const path = controlSocketPath(state);
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer();
  answer(server);
  await new Promise<void>((done) => server.listen(path, done));
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  return edgeAgent(['send', '--to', '+15550100002', '--text', 'Hello', '--config', config]);
}

describe('edge-agent send to an agent that took the text, or may have', () => {
  it('says that it may still go out where the agent is killed', async () => {
    const { code, err } = await sendTo((server) => server.on('request', (_, response) => response.destroy()));
    expect({ code, err }).toEqual({
      code: 75,
      err: expect.stringMatching(
        /^edge-agent: EDGE_NOT_RUNNING: .*\n {2}The text may still go out\. Look at the thread in Messages before/,
      ),
    });
  });

  it('says that it goes out where the agent had answered once', async () => {
    const { code, err } = await sendTo((server) =>
      server.on('request', ({ method }, response) => {
        if (method !== 'POST') return response.destroy();
        response.setHeader('content-type', 'application/json');
        return response.end(JSON.stringify({ send_id: 1, state: 'queued', guid: null, code: null, detail: null }));
      }),
    );
    expect({ code, err }).toEqual({
      code: 75,
      err: expect.stringMatching(/\n {2}The agent has the text, which goes out when it can\. Look at the thread/),
    });
  });
});
