import { controlSocketPath } from '../ops/ControlServer.ts';
import { controlRequest, errorOf } from '../ops/controlClient.ts';
import type { DropOutcome } from '../ops/controlRoutes.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';

export interface DropOptions extends CommonOptions {
  readonly all?: boolean;
}

/** `edge-agent drop GUID | --all`: gives dead letters up. */
export async function drop(guid: string | undefined, options: DropOptions, io: Io): Promise<number> {
  if ((guid === undefined) === !options.all) {
    io.err('edge-agent drop: give the GUID of one dead letter, or --all; `edge-agent dead-letters` lists them\n');
    return EXIT.usage;
  }
  const { config } = openConfig(options, io);
  const body = guid === undefined ? { all: true } : { guid };
  const socketPath = controlSocketPath(config.state.dir);
  const answer = await controlRequest({ socketPath, method: 'POST', path: '/drop', body });
  const error = errorOf(answer);
  if (error) {
    io.err(`edge-agent: ${error.code}: ${error.message}\n`);
    return EXIT.tempFail;
  }
  const { dropped } = answer.body as DropOutcome;
  const isMissing = dropped === 0 && guid !== undefined;
  if (options.json) io.out(`${JSON.stringify({ dropped })}\n`);
  else if (!isMissing) {
    const which = dropped === 1 ? '1 message is' : `${dropped} messages are`;
    io.out(`${which} given up; \`edge-agent dead-letters --dropped\` shows what was\n`);
  }
  if (!isMissing) return EXIT.ok;
  io.err(`edge-agent: there is no dead letter ${guid}; \`edge-agent dead-letters\` lists them\n`);
  return EXIT.data;
}
