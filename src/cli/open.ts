import { controlSocketPath } from '../ops/ControlServer.ts';
import { controlRequest, errorOf } from '../ops/controlClient.ts';
import { type RunProgram, runProgram } from '../ops/macos/programs.ts';
import type { OpenOutcome } from '../ops/page/openRoute.ts';
import { messageOf } from '../util/EdgeError.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';

/** `open` hands the URL to the browser and ends; a browser that has to start may take a while, ms. */
const OPEN_MS = 15_000;
/** The port that is proposed: no well-known program has it. */
const PORT = 8377;

export interface OpenOptions extends CommonOptions {
  /** False: print the link and no more. */
  readonly browser: boolean;
}

/** Where the browser is opened from. */
export interface Desk {
  readonly run: RunProgram;
  /** Somebody sits at this Mac. */
  readonly isManned: boolean;
}

const HERE: Desk = { run: runProgram, isManned: process.platform === 'darwin' && process.stdout.isTTY };

/** `edge-agent open`: a link that opens the status page, in the browser where somebody sits at this Mac. */
export async function open(options: OpenOptions, io: Io, desk: Desk = HERE): Promise<number> {
  const { config } = openConfig(options, io);
  const socketPath = controlSocketPath(config.state.dir);
  const answer = await controlRequest({ socketPath, method: 'POST', path: '/open' });
  const error = errorOf(answer);
  if (error) {
    const isOld = answer.status === 404;
    io.err(
      isOld
        ? 'edge-agent: the agent that runs has no status page yet: it is of an older version, or its start is held back; `edge-agent status` says which\n'
        : `edge-agent: ${error.code}: ${error.message}\n`,
    );
    return EXIT.unavailable;
  }
  const { url, port } = answer.body as OpenOutcome;
  if (url === null) {
    io.err(port === 0 ? OFF : taken(port));
    return EXIT.unavailable;
  }
  io.out(options.json ? `${JSON.stringify({ url })}\n` : `${url}\n`);
  if (options.json || !options.browser || !desk.isManned) return EXIT.ok;
  try {
    const { exitCode, stderr } = await desk.run('open', [url], { timeoutMs: OPEN_MS });
    if (exitCode === 0) return EXIT.ok;
    io.err(`edge-agent: no browser was opened (${stderr.trim() || `exit code ${exitCode}`}); open the link by hand\n`);
  } catch (failure) {
    io.err(`edge-agent: no browser was opened (${messageOf(failure)}); open the link by hand\n`);
  }
  return EXIT.ok;
}

const OFF = `edge-agent: the status page is off, because monitoring.port is 0. Turn it on:
  edge-agent config set monitoring.port ${PORT}
  edge-agent service restart
  edge-agent open
`;

function taken(port: number): string {
  return `edge-agent: the status page cannot be served: another program has port ${port}. \`lsof -i :${port}\` says which. Take another port:
  edge-agent config set monitoring.port ${port + 1}
  edge-agent service restart
  edge-agent open
`;
}
