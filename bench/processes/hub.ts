/** A hub in a process of its own: orders come by stdin, what it sees goes to stdout, at times of the shared clock. */
import { createInterface } from 'node:readline';
import { Hub } from '../../src/hub/Hub.ts';
import { monotonicMs } from '../monotonicMs.ts';

const [dbPath, port, secret, adminToken] = process.argv.slice(2) as [string, string, string, string];
const say = (line: object) => process.stdout.write(`${JSON.stringify({ ...line, at: monotonicMs() })}\n`);

const hub = Hub.create({
  dbPath,
  port: Number(port),
  secrets: [secret],
  adminToken,
  limits: 'off',
  observe: {
    commandSent: ({ command, channel }) => say({ sent: command.commandId, channel }),
    ackReceived: ({ ack }) => say({ ack: ack.commandId, status: ack.status }),
    socketUp: () => say({ up: true }),
  },
});
await hub.start();
say({ port: hub.port });

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as { do: 'off'; agentId: string; commandId: string } | { do: 'on' };
  if (order.do === 'on') hub.setSockets(true);
  else {
    // The command is stored before any agent can have heard of the close.
    hub.setSockets(false);
    const { agentId, commandId } = order;
    void hub.store.enqueue({ agentId, commandId, commandType: 'list_scheduled', payload: {}, priority: 'normal' });
  }
});
process.on('SIGTERM', () => void hub.stop().then(() => process.exit(0)));
