import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANNA, bubble, commandBackend, commandTaker } from './linkRig.ts';

const BEN = '+15550100002';
const ids = (count: number) => Array.from({ length: count }, (_, index) => `c${index + 1}`);

it('executes a command once that comes twice, by both channels, on another connection and after a restart', async () => {
  const backend = await commandBackend();
  const first = commandTaker(backend.port);
  await first.up();
  backend.push(bubble('a'), bubble('a'));
  await waitFor('both copies', () => first.argsOf('commandRepeated').length === 1);
  first.finish(['a']);
  const proven = () => waitFor('the proof of the ack', () => first.store.commands.acksWaitingCount() === 0);
  await proven();
  expect(backend.acked.bySocket).toEqual(['a']);

  backend.state.answer = async () => ({ commands: [bubble('a')] });
  first.link.woke();
  await waitFor('the copy of the sync', () => first.argsOf('commandRepeated').length >= 2);
  await proven();
  expect([...backend.acked.bySocket, ...backend.acked.byHttp].length).toBeGreaterThan(1);
  await waitFor('the socket that replaced the first', () => backend.sockets.length === 2 && first.link.isUp);
  backend.sockets[1]!.terminate();
  await waitFor('the copy of the polling', () => first.argsOf('commandRepeated').length >= 3);
  await waitFor('another connection', () => backend.sockets.length === 3 && first.link.isUp);
  backend.push(bubble('a'));
  await waitFor('the copy over it', () => first.argsOf('commandRepeated').length >= 4);
  expect(first.textsTo(ANNA)).toEqual(['text a']);
  await first.stop();

  const before = backend.acked.bySocket.length;
  const second = commandTaker(backend.port, { dir: first.dir });
  await second.up();
  await waitFor('the copy after the restart', () => second.argsOf('commandRepeated').length >= 1);
  await waitFor('its ack', () => backend.acked.bySocket.length > before);
  expect([second.taken(), second.textsTo(ANNA)]).toEqual([[], ['text a']]);
});

it('fetches what was queued without a socket before it takes what the new one brings, each once and in order', async () => {
  const backend = await commandBackend();
  const asked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  backend.state.answer = async () => {
    if (backend.sockets.length === 0) return { commands: [] }; // the poll of the start
    asked.resolve();
    await mayAnswer.promise;
    return { commands: ['c1', 'c2', 'c3', 'c4'].map((id) => bubble(id)) };
  };
  const agent = commandTaker(backend.port);
  await waitFor('the socket', () => agent.link.isUp);
  await asked.promise;
  backend.push(bubble('c4'), bubble('c5')); // c4 by both: it was pushed while the answer was being made
  backend.push({ command_id: 'x', command_type: 'list_scheduled' });
  mayAnswer.resolve();
  await waitFor('the last of them', () => agent.taken().includes('x'));
  expect(agent.textsTo(ANNA)).toEqual(['text c1', 'text c2', 'text c3', 'text c4', 'text c5']);
  expect(agent.taken()).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'x']);
});

it('acknowledges again what comes again when its acks were lost on the way', async () => {
  const backend = await commandBackend();
  const agent = commandTaker(backend.port);
  await agent.up();
  backend.state.hearsAcks = false;
  backend.push(bubble('a'));
  await waitFor('the command', () => agent.taken().length === 1);
  agent.finish(['a']);
  backend.sockets[0]!.terminate();
  await waitFor('another connection', () => backend.sockets.length === 2 && agent.link.isUp);
  backend.state.hearsAcks = true;
  backend.push(bubble('a'));
  await waitFor('an ack', () => backend.allAcked().has('a'));
  await waitFor('the proof of it', () => agent.store.commands.acksWaitingCount() === 0);
  expect([agent.taken(), agent.textsTo(ANNA)]).toEqual([['a'], ['text a']]);
});

it('takes a burst at the pace of its outcomes: the socket waits, nothing is lost, every ack arrives', async () => {
  const total = 3000;
  const backend = await commandBackend();
  const agent = commandTaker(backend.port, { maxOpenCommands: 500 });
  await agent.up();
  const threadOf = (index: number) => (index % 3 === 0 ? BEN : ANNA);
  backend.push(...ids(total).map((id, index) => bubble(id, threadOf(index))));
  await waitFor('the pause', () => agent.argsOf('commandsPaused').length === 1);
  const mostWaiting = agent.handler.waiting;
  agent.finish(['c1', 'c2', 'c3']);
  // No pong comes from a socket that is not read: these go by HTTP, and are not sent over and over again.
  await waitFor('the acks of those', () => agent.store.commands.acksWaitingCount() === 0);
  expect(backend.acked.byHttp).toEqual(['c1', 'c2', 'c3']);

  let finished = 3;
  await waitFor(
    'all of them',
    () => {
      const taken = agent.taken();
      agent.finish(taken.slice(finished, finished + 100));
      finished = Math.min(finished + 100, taken.length);
      return finished === total && agent.store.commands.acksWaitingCount() === 0;
    },
    50_000,
  );
  expect(mostWaiting).toBe(500);
  expect(agent.taken()).toEqual(ids(total));
  for (const thread of [ANNA, BEN]) {
    const expected = ids(total).filter((_id, index) => threadOf(index) === thread);
    expect(agent.textsTo(thread)).toEqual(expected.map((id) => `text ${id}`));
  }
  expect(backend.allAcked().size).toBe(total);
  expect(agent.argsOf('commandsResumed').length).toBe(agent.argsOf('commandsPaused').length);
}, 60_000);

it('takes from a sync what fits, again and again, and none of it twice', async () => {
  const total = 40;
  const backend = await commandBackend();
  const done = new Set<string>();
  backend.state.answer = async () => ({
    commands: ids(total)
      .filter((id) => !backend.allAcked().has(id))
      .map((id) => bubble(id)),
  });
  const agent = commandTaker(backend.port, { maxOpenCommands: 10 });
  await waitFor('the first of them', () => agent.taken().length === 10);
  expect(agent.argsOf('failure')).toEqual([]);
  await waitFor(
    'all of them',
    () => {
      const open = agent.taken().filter((id) => !done.has(id));
      agent.finish(open);
      for (const id of open) done.add(id);
      return done.size === total && backend.allAcked().size === total;
    },
    30_000,
  );
  expect(agent.textsTo(ANNA)).toEqual(ids(total).map((id) => `text ${id}`));
  expect(agent.argsOf('failure')).toEqual([]);
}, 40_000);
