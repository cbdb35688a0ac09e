import { once } from 'node:events';
import type { WebSocket } from 'ws';
import { waitFor } from '../../support/waitFor.ts';
import type { FaultRun } from './FaultRun.ts';
import { passes, says, type Treatment } from './treatments.ts';

/**
 * A backend that hands the commands `ids`, queued while the agent was away, to the sync that follows the connection and
 * to nobody else, and is slow about it; the socket has only what is new. Mends both cables. Resolves when that sync is
 * answered, with a frame for each command that was asked for `meanwhile` ahead of the answer.
 */
export async function handsOverBySync(
  run: FaultRun,
  { ids, meanwhile }: { ids: readonly string[]; meanwhile(): Promise<string[]> },
): Promise<void> {
  const { front, rig } = run;
  const queued = new Map<string, unknown>();
  const framed = new Set<string>();
  const answered = Promise.withResolvers<void>();
  let hasSocket = false;
  let agentEnd: WebSocket | undefined;
  let isAnswering = false;
  front.upgrade = () => {
    hasSocket = true;
    return {
      joined: (agent) => {
        agentEnd = agent;
      },
      down: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type !== 'command') return [frame];
        const isHeld = ids.includes(data.command_id);
        if (isHeld) queued.set(data.command_id, data);
        else framed.add(data.command_id);
        return isHeld ? [] : [frame];
      },
    };
  };
  front.treat = ({ path }) => {
    if (path !== '/edge/sync' || isAnswering) return passes;
    if (!hasSocket) return says(503);
    isAnswering = true;
    return (...exchange) => answer(...exchange).then(answered.resolve, answered.reject);
  };
  for (const cable of [rig.cable, rig.httpCable]) cable.mend();
  await answered.promise;
  front.standAside();

  async function answer(...[response, pass]: Parameters<Treatment>): Promise<void> {
    await waitFor('what was queued', () => queued.size === ids.length);
    const newer = await meanwhile();
    await waitFor('the frames', () => newer.every((id) => framed.has(id)));
    // Answered when all before it was read: they would be on their way by now, if nothing held them.
    const isRead = once(agentEnd!, 'pong');
    agentEnd!.ping();
    await isRead;
    const { status, headers, body } = await pass();
    const said = JSON.parse(String(body));
    response
      .writeHead(status, headers)
      .end(JSON.stringify({ ...said, commands: [...queued.values(), ...said.commands] }));
  }
}
