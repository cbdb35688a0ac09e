import type { Rig } from '../../../scripts/rig/Rig.ts';
import { controlSocketPath } from '../../../src/ops/ControlServer.ts';
import { controlRequest } from '../../../src/ops/controlClient.ts';

/** What `edge-agent retry --all` asks of the agent. */
export async function retryAll(rig: Rig): Promise<unknown> {
  const socketPath = controlSocketPath(rig.path('state'));
  return (await controlRequest({ socketPath, method: 'POST', path: '/retry', body: { all: true } })).body;
}
