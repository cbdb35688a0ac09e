import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { ConfigError } from '../../config/ConfigError.ts';
import { editConfig } from '../../config/editConfig.ts';
import { checkConfigText } from '../../config/loadConfig.ts';
import { readConfigText } from '../../config/readFile.ts';
import type { Config } from '../../config/schema.ts';
import type { Keychain } from '../../ops/service/Keychain.ts';
import type { Io } from '../Io.ts';
import type { Check } from './askPerson.ts';

export interface AnswerOptions {
  readonly agentId?: string;
  readonly backendUrl?: string;
  readonly secretStdin?: boolean;
  readonly secretFile?: string;
}

/** What an install needs to know. */
export interface Answers {
  readonly agentId: string;
  readonly backendUrl: string;
  /** Undefined: there is one already, where the configuration says. */
  readonly secret: string | undefined;
}

/** What is not known yet, in the words of somebody who is to give it. */
export interface Missing {
  readonly key: keyof Answers;
  readonly how: string;
}

const HOW: Readonly<Record<keyof Answers, string>> = {
  agentId: '--agent-id ID, or EDGE_AGENT_ID: the id under which the backend knows this Mac',
  backendUrl: '--backend-url URL, or EDGE_BACKEND_URL: where the backend is',
  secret: '--secret-stdin, --secret-file FILE, or EDGE_SECRET: the secret that the backend gave for this id',
};

/** The configuration in place; undefined where there is none yet, or one that is the example as it comes. @throws ConfigError */
export function existingConfig(file: string, example: string): Config | undefined {
  if (!existsSync(file)) return undefined;
  const text = readConfigText(file);
  return text === example ? undefined : checkConfigText(file, text);
}

/** What is known without asking: options go before the environment, that before what is in place. */
export async function knownAnswers(
  options: AnswerOptions,
  existing: Config | undefined,
  keychain: Keychain,
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<Partial<Answers> & { readonly missing: readonly Missing[] }> {
  const agentId = options.agentId ?? env.EDGE_AGENT_ID ?? existing?.edge.agent_id;
  const backendUrl = options.backendUrl ?? env.EDGE_BACKEND_URL ?? existing?.backend.url;
  const given = await givenSecret(options, env, cwd);
  const hasSecret = given !== undefined || (await isInPlace(existing, agentId, keychain));
  const known = { agentId, backendUrl, secret: hasSecret ? '' : undefined };
  const missing = (Object.keys(HOW) as (keyof Answers)[]).filter((key) => known[key] === undefined);
  return {
    ...(agentId === undefined ? {} : { agentId }),
    ...(backendUrl === undefined ? {} : { backendUrl }),
    secret: given,
    missing: missing.map((key) => ({ key, how: HOW[key] })),
  };
}

async function givenSecret(options: AnswerOptions, env: Io['env'], cwd: string): Promise<string | undefined> {
  if (options.secretStdin) return trimmed(await readAll(process.stdin));
  if (options.secretFile !== undefined) return trimmed(readFileSync(resolve(cwd, options.secretFile), 'utf8'));
  return env.EDGE_SECRET ? trimmed(env.EDGE_SECRET) : undefined;
}

const trimmed = (text: string) => text.replace(/^\ufeff/, '').trim();

async function isInPlace(
  existing: Config | undefined,
  agentId: string | undefined,
  keychain: Keychain,
): Promise<boolean> {
  if (!existing || agentId === undefined) return false;
  const { secret_file: file, secret_keychain_service: service } = existing.edge;
  if (file !== undefined) return existsSync(file);
  if (service === undefined) return false;
  return keychain.read(service, agentId).then(
    () => true,
    () => false,
  );
}

/** What is wrong with a value of a key, as the configuration will have it; undefined: nothing. */
export function checkOf(example: string, key: string): Check {
  return (value) => {
    try {
      editConfig('config.yaml', example, [[key, value.trim()]]);
      return undefined;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems[0]!.text.replace(/^.*, expected /s, 'Expected ');
    }
  };
}

/** Only what an HTTP header carries unchanged. */
export const checkSecret: Check = (value) =>
  /^[\x20-\x7e]+$/.test(value.trim()) ? undefined : 'Expected one line of printable ASCII';
