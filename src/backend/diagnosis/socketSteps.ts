import { sleep } from '../../util/Clock.ts';
import { networkFailure } from '../network/networkFailure.ts';
import type { Circumstances } from './causes.ts';
import { identity, SHOWN_SECRET, unsignedSync } from './httpSteps.ts';
import { ProbeSocket } from './ProbeSocket.ts';
import type { Found, Received } from './Step.ts';
import { refusedWith, statusText, type Walk } from './Walk.ts';

/** Backends that accept everybody and then close with the reason do so at once; after this it is open, ms. */
const QUIET_MS = 2_000;
/** How long an answer may take, ms: less than a step, so that it can still say what came in its place. */
const ANSWER_MS = 4_000;

/** Opens the socket and asks at once for a pong. It counts as open when a frame came, or no close for two seconds. */
export async function upgrade(
  walk: Walk,
  o: { url: string; circumstances: Circumstances; signal: AbortSignal; opened(socket: ProbeSocket): void },
): Promise<Found> {
  const { secret } = walk.o;
  const headers = { Authorization: `Bearer ${SHOWN_SECRET}`, ...identity(walk) };
  const sent = { request: `GET ${o.url} (Upgrade: websocket)`, headers };
  const socket = open(walk, o.url, { ...headers, Authorization: `Bearer ${secret}` });
  o.opened(socket);
  const ended = await firstWord(walk, socket, o.signal);
  if (!ended) return { status: 'pass', text: '101 Switching Protocols', sent, received: { status: 101 } };

  const unsigned = isDenial(ended) ? await walk.aside((signal) => unsignedAnswer(walk, o.url, signal)) : undefined;
  const isOddOne = unsigned !== undefined && o.circumstances.sync === 200;
  const stranger = isOddOne ? await walk.aside((signal) => unsignedSync(walk, signal)) : undefined;
  const compared = unsigned ? `; without the Authorization header: ${endText(unsigned)}` : '';
  const accepted = socket.isOpen ? 'accepted, then ' : '';
  const text = accepted + endText(ended) + compared;
  return { ...refusedWith(ended, { ...o.circumstances, unsigned, stranger }, text), sent };
}

/** Whether the socket carries frames both ways. */
export async function pingPong(walk: Walk, socket: ProbeSocket, circumstances: Circumstances): Promise<Found> {
  const sent = { request: '{ "type": "ping" }', headers: {} };
  socket.ping();
  await came(walk, socket, () => socket.isAnswered);
  if (socket.isAnswered) return { status: 'pass', text: 'a ping was answered by a pong', sent, ...left(socket) };
  if (socket.ended) return { ...refusedWith(socket.ended, circumstances, endText(socket.ended)), sent };
  if (socket.frames > 0) {
    return { status: 'warn', text: 'frames come, but no pong; the agent takes any frame for a sign of life', sent };
  }
  return {
    ...refusedWith({}, circumstances, 'the socket is open, but nothing came back'),
    sent,
  };
}

/** A command to and fro, where the backend offers one: its ack is proven by the pong that follows. */
export async function commandRoundTrip(walk: Walk, socket: ProbeSocket, circumstances: Circumstances): Promise<Found> {
  await came(walk, socket, () => socket.probeId !== undefined);
  const id = socket.probeId;
  if (id === undefined) return endedOr(socket, circumstances, 'no test command came');
  const sent = {
    request: `{ "type": "command_ack", "data": { "command_id": ${walk.clean(JSON.stringify(id))} } }`,
    headers: {},
  };
  const timestamp = new Date(walk.o.clock.now()).toISOString();
  socket.send({
    type: 'command_ack',
    data: { command_id: id, success: true, error: null, timestamp, status: 'completed', completed_at: timestamp },
  });
  socket.ping();
  await came(walk, socket, () => socket.isAnswered);
  if (socket.isAnswered) return { status: 'pass', text: 'a test command came, and its ack was taken', sent };
  return { ...endedOr(socket, circumstances, 'no pong came after the ack'), sent };
}

/** Waits until it is so, but no longer than an answer may take. */
async function came({ o }: Walk, socket: ProbeSocket, isSo: () => boolean): Promise<void> {
  const over = new AbortController();
  await Promise.race([socket.until(isSo, over.signal), sleep(o.clock, ANSWER_MS, over.signal)]);
  over.abort();
}

function endedOr(socket: ProbeSocket, circumstances: Circumstances, otherwise: string): Found {
  return socket.ended
    ? refusedWith(socket.ended, circumstances, endText(socket.ended))
    : refusedWith({}, circumstances, otherwise);
}

/** Commands that came on a socket that is no probe to the backend. */
function left({ commands }: ProbeSocket): Pick<Found, 'status' | 'text' | 'fix'> | undefined {
  if (commands === 0) return undefined;
  return {
    status: 'warn',
    text: `a ping was answered by a pong. ${commands} command(s) came with it, which were left`,
    fix: 'Nothing, if the backend offers commands until they are acknowledged; the agent then gets them when it connects.',
  };
}

function open({ o }: Walk, url: string, headers: Record<string, string>): ProbeSocket {
  const socket = new ProbeSocket({ url, headers, network: o.network, clock: o.clock });
  socket.listen(networkFailure);
  return socket;
}

/** How it ended before any frame came, or undefined. @throws the signal's reason when it never opened */
async function firstWord({ o }: Walk, socket: ProbeSocket, signal: AbortSignal): Promise<Received | undefined> {
  await socket.until(() => socket.isOpen, signal);
  socket.ping();
  await Promise.race([socket.until(() => socket.frames > 0, signal), sleep(o.clock, QUIET_MS, signal)]);
  return socket.frames > 0 ? undefined : socket.ended;
}

async function unsignedAnswer(walk: Walk, url: string, signal: AbortSignal): Promise<Received | undefined> {
  const socket = open(walk, url, identity(walk));
  try {
    return await firstWord(walk, socket, signal);
  } finally {
    await socket.close((ms) => sleep(walk.o.clock, ms));
  }
}

function isDenial({ status, close }: Received): boolean {
  return status === 401 || status === 403 || (close !== undefined && (close.code === 1008 || close.code >= 4000));
}

function endText({ status, close, error }: Received): string {
  if (status !== undefined) return `answered ${statusText(status)}`;
  if (close) return `closed with ${close.code} ${close.reason || '(no reason)'}`;
  return error ? `${error.code}: ${error.detail}` : 'nothing came back';
}
