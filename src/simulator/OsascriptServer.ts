import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Messages } from './Messages.ts';
import { type ScriptAnswer, scriptFailure, scriptSuccess } from './osascriptErrors.ts';
import { installStandIn } from './standIns/installStandIns.ts';

/** Longest request: macOS takes about 1 MB of arguments, and the script comes on top. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** One call of osascript as its stand-in forwards it. */
interface ScriptCall {
  readonly startedAtUs: number | undefined;
  readonly args: readonly string[];
  readonly script: string;
}

/**
 * The loopback server behind the `osascript` stand-in. A request is fields that each end in NUL (no argument can hold
 * one): token, start in µs, number of arguments, the arguments, the script. The answer likewise: exit code, stdout,
 * stderr. A caller that is killed takes nothing back: what it asked for still happens, as on a Mac.
 */
export class OsascriptServer {
  readonly #messages: Messages;
  readonly #token = randomBytes(16).toString('hex');
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(o: { messages: Messages }) {
    this.#messages = o.messages;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens, and writes the stand-in that knows where. Returns its path. */
  async start(binDir: string): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    installStandIn('osascript', binDir, { PORT: String(port), TOKEN: this.#token });
    return join(binDir, 'osascript');
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const chunks: Buffer[] = [];
    let size = 0;
    socket.setNoDelay(true);
    socket.on('close', () => this.#sockets.delete(socket));
    // A killed osascript resets the connection; there is nobody left to answer.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      // Fields end in NUL, so a request that is complete does too.
      if (chunk.at(-1) !== 0 && size <= MAX_REQUEST_BYTES) return;
      const fields = Buffer.concat(chunks).toString('utf8').split('\0').slice(0, -1);
      const count = Number(fields[2]);
      if (fields[0] !== this.#token || size > MAX_REQUEST_BYTES) {
        socket.destroy();
        return;
      }
      if (fields.length < 3 || fields.length < 4 + count) return;
      void this.#answer(socket, {
        startedAtUs: fields[1] ? Number(fields[1]) : undefined,
        args: fields.slice(3, 3 + count),
        script: fields[3 + count] ?? '',
      });
    });
  }

  async #answer(socket: Socket, call: ScriptCall): Promise<void> {
    let answer: ScriptAnswer;
    try {
      answer = await this.#run(call);
    } catch (error) {
      // A defect or a closed database: shown to the caller, who alone can report it.
      answer = scriptFailure(-10000, `Messages got an error: the simulator failed: ${String(error)}`);
    }
    socket.end(`${answer.exitCode}\0${answer.stdout}\0${answer.stderr}\0`);
  }

  /**
   * AppleScript is not read. A send is known by its four arguments (form, target, service, text), one of a file by a fifth
   * (`file`), anything else by a few words: of a question, of what starts Messages, and of what ends it.
   */
  async #run({ args, script, startedAtUs }: ScriptCall): Promise<ScriptAnswer> {
    const [form, target = '', service = '', text, kind] = args;
    if ((form === 'participant' || form === 'chat') && text !== undefined) {
      const what = kind === 'file' ? { text: '', file: text } : { text };
      return this.#messages.send({ form, target, service, ...what, startedAtUs });
    }
    if (!/\bMessages\b/.test(script)) {
      return {
        exitCode: 1,
        stdout: '',
        stderr: '0:4: syntax error: Expected expression but found unknown token. (-2741)\n',
      };
    }
    const { process } = this.#messages;
    const signal = /\bkillall -(TERM|KILL) Messages\b/.exec(script)?.[1];
    if (signal) {
      process.end(signal === 'KILL' ? 'SIGKILL' : 'SIGTERM');
      return scriptSuccess();
    }
    if (/\bopen -gja Messages\b/.test(script)) {
      const said = process.isRunning ? 'running' : 'launched';
      process.launch();
      return scriptSuccess(`${said}\n`);
    }
    if (/^application "Messages" is running\s*$/.test(script)) return scriptSuccess(`${process.isRunning}\n`);
    if (/ is not running then error /.test(script) && !process.isRunning) {
      return scriptFailure(-600, 'Messages is not running');
    }
    if (/\b(launch|activate)\b/.test(script)) process.launch();
    const refusal = await this.#messages.refusal();
    if (refusal) return refusal;
    if (/\bto quit\b/.test(script)) {
      process.end('quit');
      return scriptSuccess();
    }
    if (/\bwhose service type = \w+ and enabled = true\b/.test(script)) {
      const { accounts } = this.#messages;
      const of = (service: string) => accounts.filter((one) => one === service).length;
      return scriptSuccess(`accounts ${accounts.length}, iMessage ${of('iMessage')}, SMS ${of('SMS')}\n`);
    }
    return scriptSuccess(/\bcount\b/.test(script) ? '1\n' : 'Messages\n');
  }
}
