import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../config/ConfigError.ts';
import { type Change, editConfig } from '../../config/editConfig.ts';
import { loadConfig } from '../../config/loadConfig.ts';
import { runProgram } from '../../ops/macos/programs.ts';
import { Keychain } from '../../ops/service/Keychain.ts';
import { NodeRuntime } from '../../ops/service/NodeRuntime.ts';
import { signatureAdvice } from '../../ops/service/nodeSignature.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';
import { systemClock } from '../../util/Clock.ts';
import { replaceFile } from '../../util/replaceFile.ts';
import { packageVersion } from '../../util/version.ts';
import { EXIT } from '../exitCodes.ts';
import { explain } from '../explain.ts';
import type { CommonOptions, Io } from '../Io.ts';
import { type AnswerOptions, type Answers, checkOf, checkSecret, existingConfig, knownAnswers } from './answers.ts';
import { macosTooOld } from './macosTooOld.ts';
import { Progress } from './Progress.ts';
import { putInPlace } from './putInPlace.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { PACKAGE_ROOT } from './releases.ts';
import { serviceConfig } from './wantedPlist.ts';

/** The item in the Keychain; its account is the agent’s id. */
const KEYCHAIN_SERVICE = 'edge-agent';

export interface ServiceInstallOptions extends CommonOptions, AnswerOptions {
  /** The Node to copy; by default the one that runs this. */
  readonly node?: string;
  readonly newNode?: boolean;
  /** Asks nothing, on a terminal either. */
  readonly yes?: boolean;
  /** `--no-start` */
  readonly start: boolean;
  /** Seconds. */
  readonly wait: number;
}

/**
 * `edge-agent service install`: from a package to an agent that runs, or from any state in between. Each step looks at what
 * is there first, so that it can be run again at any time.
 */
export async function serviceInstall(options: ServiceInstallOptions, io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  const old = await macosTooOld(runProgram);
  if (old !== undefined) {
    io.err(`edge-agent: ${old}\n`);
    return EXIT.unavailable;
  }
  const isAsking =
    !options.yes && !options.secretStdin && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const configFile = serviceConfig(options.config, io.cwd);
  const example = readFileSync(join(PACKAGE_ROOT, 'config.yaml.example'), 'utf8');
  const keychain = new Keychain({ run: runProgram });
  const progress = new Progress(io);
  const person = isAsking ? await import('./askPerson.ts') : undefined;
  person?.giveWidth(process.stdout);
  try {
    const existing = existingConfig(configFile, example);
    const { missing, ...known } = await knownAnswers(options, existing, keychain, io);
    if (missing.length > 0 && !person) {
      io.err(
        `edge-agent: nothing was changed, because this is missing:\n${missing.map(({ how }) => `  ${how}\n`).join('')}`,
      );
      return EXIT.usage;
    }
    const answers = { ...known } as { -readonly [K in keyof Answers]: Answers[K] };
    person?.greet('edge-agent on this Mac');
    for (const { key } of missing) {
      if (key === 'agentId') {
        const check = checkOf(example, 'edge.agent_id');
        answers.agentId = await person!.askText(
          'Under which id does the backend know this Mac?',
          'edge_15550100001',
          check,
        );
      } else if (key === 'backendUrl') {
        const check = checkOf(example, 'backend.url');
        answers.backendUrl = await person!.askText('Where is the backend?', 'https://backend.example.com', check);
      } else answers.secret = await person!.askSecret('Its secret (not shown; kept in the Keychain)', checkSecret);
    }
    const wrong = answers.secret === undefined ? undefined : checkSecret(answers.secret);
    if (wrong !== undefined) {
      io.err(`edge-agent: nothing was changed, because the secret cannot be used. ${wrong}.\n`);
      return EXIT.usage;
    }

    // What the schema refuses comes to light here, before anything is written.
    const before = existing || existsSync(configFile) ? readFileSync(configFile, 'utf8') : undefined;
    const after = editConfig(configFile, before ?? example, changesTo(answers, existing?.edge));
    if (person && !(await person.askWhether(`Install ${packageVersion()} with ${configFile}?`))) return EXIT.ok;

    const paths = servicePaths(homedir());
    const runtime = new NodeRuntime({ dir: paths.runtimeDir, run: runProgram, clock: systemClock });
    const kept = await runtime.keep({
      source: options.node ?? process.execPath,
      packageVersion: packageVersion(),
      replace: options.newNode === true,
    });
    const what = kept.outcome === 'kept' ? 'kept as it is' : `${kept.outcome}${kept.reason ? ` (${kept.reason})` : ''}`;
    progress.step('Node', `${kept.version}, ${what}: ${kept.path}`);
    if (kept.outcome !== 'kept') progress.stands(`the private Node ${kept.path}`);
    const advice = signatureAdvice(kept.signature);
    if (advice) progress.note(advice);

    if (answers.secret !== undefined) {
      await keychain.write(KEYCHAIN_SERVICE, answers.agentId, answers.secret);
      progress.step('secret', `is in the Keychain: item ${KEYCHAIN_SERVICE} of ${answers.agentId}`);
      progress.stands(`the Keychain item ${KEYCHAIN_SERVICE} of ${answers.agentId}`);
    } else progress.step('secret', 'is where it was');

    if (after === before) progress.step('config', `${configFile} is right as it is`);
    else {
      refuseIfChanged(configFile, before);
      mkdirSync(dirname(configFile), { recursive: true, mode: 0o700 });
      replaceFile(configFile, after);
      progress.step('config', `${before === undefined ? 'written' : 'changed'}: ${configFile}`);
      progress.stands(`the configuration ${configFile}`);
    }
    return await putInPlace({
      source: PACKAGE_ROOT,
      config: loadConfig(configFile),
      configFile,
      hasNews: after !== before || answers.secret !== undefined || kept.outcome !== 'kept',
      node: kept.path,
      needsPermissions: kept.needsPermissions,
      isStarting: options.start,
      waitMs: options.wait * 1000,
      progress,
      person,
      io,
    });
  } catch (error) {
    if (person && error instanceof person.Cancelled) {
      progress.tellWhatStands();
      return EXIT.tempFail;
    }
    const code = explain(error, io);
    progress.tellWhatStands();
    return code;
  }
}

/** While a person was asked and Node was copied somebody may have edited it, and would find the edit gone. @throws ConfigError */
function refuseIfChanged(file: string, before: string | undefined): void {
  if ((existsSync(file) ? readFileSync(file, 'utf8') : undefined) === before) return;
  const text = 'was changed by somebody else meanwhile, and is left as it is; run this again';
  throw new ConfigError([{ file, line: undefined, column: undefined, text }]);
}

/** The keys that must say what was answered. A secret that is given goes to the Keychain, and a file it was in before is left aside. */
function changesTo(
  { agentId, backendUrl, secret }: Answers,
  edge: { secret_file?: string | undefined; secret_keychain_service?: string | undefined } | undefined,
): Change[] {
  const changes: Change[] = [
    ['edge.agent_id', agentId],
    ['backend.url', backendUrl],
  ];
  if (secret !== undefined) {
    changes.push(['edge.secret_keychain_service', KEYCHAIN_SERVICE]);
    if (edge?.secret_file !== undefined) changes.push(['edge.secret_file', undefined]);
  }
  return changes;
}
