import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';

/** A backend that accepts connections and never says a word. */
async function silentBackend(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('begins no bubble after SIGTERM, however long the backend keeps it waiting, and ends the one that is begun', async () => {
  const rig = await startRig({ config: { backend: { url: await silentBackend() } } });
  rig.mac.messages.behave({ beforeEffectMs: 200, times: 'always' });
  const texts = ['one', 'two', 'three'];
  for (const text of texts) await rig.command('send_message_now', { thread_id: ANN, text });
  await waitFor('the first osascript', () => rig.mac.messages.requests.length === 1);
  expect(await rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(rig.bubblesTo(ANN)).toEqual(['one']);
  expect(rig.mac.messages.requests).toHaveLength(1);
  await rig.startAgent();
  await waitFor('the others', () => rig.bubblesTo(ANN).length >= 3);
  expect(rig.bubblesTo(ANN)).toEqual(texts);
});
