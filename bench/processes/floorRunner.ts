/** The bare floor of a command: a WebSocket frame comes, osascript is spawned; nothing durable, nothing checked. */
import { spawn } from 'node:child_process';
import { WebSocket } from 'ws';

const [port, osascript] = process.argv.slice(2) as [string, string];
const socket = new WebSocket(`ws://127.0.0.1:${port}/edge/ws?edge_agent_id=floor`, { perMessageDeflate: false });
socket.on('open', () => process.stdout.write('ready\n'));
socket.on('message', (data) => {
  const frame = JSON.parse(data.toString()) as { type: string; data: { payload: { thread_id: string; text: string } } };
  if (frame.type !== 'command') return;
  const { thread_id, text } = frame.data.payload;
  const child = spawn(osascript, ['-', 'participant', thread_id, 'iMessage', text], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end('on run argv\nend run\n');
});
