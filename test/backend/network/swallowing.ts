import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/** Listens and accepts nothing: its thread sleeps for ever. */
const SLEEPER = `
  const { parentPort, workerData: { host, port } } = require('node:worker_threads');
  require('node:net').createServer().listen({ host, port, backlog: 1 }, () => {
    parentPort.postMessage('listening');
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;
/** More connections than the kernel keeps for a backlog of 1. */
const FILLERS = 6;

/** Until the test is over a SYN to this address gets no answer, as from a network that swallows it. */
export async function swallowing(host: string, port: number): Promise<void> {
  const worker = new Worker(SLEEPER, { eval: true, workerData: { host, port } });
  onTestFinished(async () => void (await worker.terminate()));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const fillers = Array.from({ length: FILLERS }, () => connect(port, host).on('error', () => {}));
  onTestFinished(() => fillers.forEach((socket) => void socket.destroy()));
  await new Promise((resolve) => fillers[0]!.once('connect', resolve));
}
