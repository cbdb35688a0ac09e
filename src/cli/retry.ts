import { controlSocketPath } from '../ops/ControlServer.ts';
import { controlRequest, errorOf } from '../ops/controlClient.ts';
import type { RetryOutcome } from '../ops/controlRoutes.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';

export interface RetryOptions extends CommonOptions {
  readonly all?: boolean;
}

/** `edge-agent retry GUID | --all`: puts dead letters back in the queue. */
export async function retry(guid: string | undefined, options: RetryOptions, io: Io): Promise<number> {
  if ((guid === undefined) === !options.all) {
    io.err('edge-agent retry: give the GUID of one dead letter, or --all; `edge-agent dead-letters` lists them\n');
    return EXIT.usage;
  }
  const { config } = openConfig(options, io);
  const body = guid === undefined ? { all: true } : { guid };
  const socketPath = controlSocketPath(config.state.dir);
  const answer = await controlRequest({ socketPath, method: 'POST', path: '/retry', body });
  const error = errorOf(answer);
  if (error) {
    io.err(`edge-agent: ${error.code}: ${error.message}\n`);
    return EXIT.tempFail;
  }
  const { retried } = answer.body as RetryOutcome;
  const isMissing = retried === 0 && guid !== undefined;
  if (options.json) io.out(`${JSON.stringify({ retried })}\n`);
  else if (!isMissing) io.out(`${retried === 1 ? '1 message is' : `${retried} messages are`} handed over again\n`);
  if (!isMissing) return EXIT.ok;
  io.err(`edge-agent: there is no dead letter ${guid}; \`edge-agent dead-letters\` lists them\n`);
  return EXIT.data;
}
