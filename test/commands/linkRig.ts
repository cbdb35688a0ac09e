import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Link } from '../../src/backend/Link.ts';
import { AckCourier } from '../../src/commands/AckCourier.ts';
import { CommandFeed } from '../../src/commands/CommandFeed.ts';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { SyncExchange } from '../../src/ops/SyncExchange.ts';
import { completedAck } from '../../src/protocol/ack.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { systemClock as clock } from '../../src/util/Clock.ts';
import { AGENT_ID, linkSettingsFor, listen } from '../backend/httpServer.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

export const ANNA = '+15550100001';

export const bubble = (id: string, threadId = ANNA) => ({
  command_id: id,
  command_type: 'send_message_now',
  payload: { thread_id: threadId, text: `text ${id}` },
});

/** A backend of its own kind on one port; what it answers to a sync is for the test to say. */
export async function commandBackend() {
  const sockets: WebSocket[] = [];
  const acked = { bySocket: [] as string[], byHttp: [] as string[] };
  const state = {
    syncs: 0,
    hearsAcks: true,
    answer: async (): Promise<unknown> => ({ commands: [] }),
  };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (request.url === '/edge/command/ack') acked.byHttp.push(body.command_id);
    if (request.url !== '/edge/sync') return response.end();
    state.syncs += 1;
    return response.end(JSON.stringify(await state.answer()));
  });
  const upgrader = new WebSocketServer({ server });
  upgrader.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.send('{"type":"connected"}');
    socket.on('message', (data) => {
      if (!state.hearsAcks) return;
      const frame = JSON.parse(data.toString());
      if (frame.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
      if (frame.type === 'command_ack') acked.bySocket.push(frame.data.command_id);
    });
  });
  const port = await listen(server);
  const push = (...commands: object[]) => {
    for (const data of commands) sockets.at(-1)!.send(JSON.stringify({ type: 'command', data }));
  };
  const allAcked = () => new Set([...acked.bySocket, ...acked.byHttp]);
  return { port, sockets, acked, allAcked, state, push };
}

async function bodyOf(request: IncomingMessage) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

/** The agent's side of commands, from the socket to state.db, on `dir`; nobody sends the bubbles. */
export function commandTaker(port: number, o: { dir?: string; maxOpenCommands?: number } = {}) {
  const dir = o.dir ?? tempDir();
  const store = StateStore.open(join(dir, 'state.db'), clock.now());
  const { telemetry, calls } = recordingTelemetry();
  const random = () => 0;
  const handler = new CommandHandler({
    store,
    clock,
    telemetry,
    onSends: () => {},
    onSchedules: () => {},
    onAcks: () => courier.wake(),
    ...(o.maxOpenCommands === undefined ? {} : { maxOpenCommands: o.maxOpenCommands }),
  });
  const feed = new CommandFeed({
    clock,
    telemetry,
    handler,
    throttled: () => [link, courier],
    refuse: (code) => link.refuse(code),
    syncNow: () => link.syncNow(),
  });
  const link = new Link({
    settings: linkSettingsFor(port),
    secret: () => 'canary-5f0c2e9a',
    refreshSecret: () => {},
    clock,
    random,
    telemetry,
    onUp: () => {
      feed.catchUp();
      courier.socketUp();
    },
    onDown: () => courier.socketDown(),
    onPong: () => courier.pong(),
    onCommand: (raw, bytes) => feed.take(raw, bytes),
    onCaughtUp: () => feed.caughtUp(),
    onConfigUpdate: () => {},
    collect: () => exchange.collect(),
    deliver: (response) => exchange.deliver(response),
    hasEvents: () => false,
    onLargeFrames() {},
  });
  const courier = new AckCourier({
    store,
    clock,
    random,
    telemetry,
    isSocketUp: () => link.isUp,
    sendFrame: (frame) => link.send(frame),
    postAck: (ack, signal) => link.client.postAck(ack, signal),
    sendPing: () => link.ping(),
    unansweredPings: () => link.unansweredPings,
  });
  const exchange = new SyncExchange({
    store,
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    telemetry,
    agentId: AGENT_ID,
    sync: (request, signal) => link.client.sync(request, signal),
    takeCommands: (raw) => feed.fetched(raw),
    onConfigUpdate: () => {},
    onAnswer: () => {},
  });
  courier.start();
  link.start();
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      feed.stop();
      await link.stop();
      await courier.stop();
      link.close();
      store.close();
    })();
    return stopping;
  };
  onTestFinished(stop);
  /** Ends commands as sending them would. */
  const finish = (ids: readonly string[]) => {
    store.transaction(() => {
      for (const id of ids) {
        store.commands.finish(id, 'completed', clock.now());
        store.commands.addAck(completedAck(id, clock.now()), clock.now());
      }
    });
    courier.wake();
  };
  const argsOf = (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args);
  const taken = () => argsOf('commandReceived').map(([info]) => (info as { commandId: string }).commandId);
  const textsTo = (threadId: string) => store.sends.openOf(threadId).map((send) => send.text);
  const up = () => waitFor('the socket to be up and caught up', () => link.isUp && argsOf('synced').length > 0);
  return { dir, store, handler, link, finish, argsOf, taken, textsTo, up, stop };
}
