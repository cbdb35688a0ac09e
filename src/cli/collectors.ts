import { dirname, join } from 'node:path';
import { ConfigError } from '../config/ConfigError.ts';
import type { Config } from '../config/schema.ts';
import { shownConfig } from '../config/shownConfig.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { controlRequest } from '../ops/controlClient.ts';
import type { Collector } from '../ops/diagnose/Collector.ts';
import { databaseFacts } from '../ops/diagnose/databaseFacts.ts';
import { fileFacts, freeBytes } from '../ops/diagnose/fileFacts.ts';
import { logLines } from '../ops/diagnose/logLines.ts';
import { machineFacts, serviceFacts } from '../ops/diagnose/machineFacts.ts';
import type { Redaction } from '../ops/diagnose/Redaction.ts';
import { statusFacts } from '../ops/diagnose/statusFacts.ts';
import { examine, worstOf } from '../ops/doctor/examine.ts';
import { runProgram } from '../ops/macos/programs.ts';
import { systemClock } from '../util/Clock.ts';
import { doctorChecks, type LookedAt } from './doctorChecks.ts';
import { examineConnection } from './examineConnection.ts';
import type { Io } from './Io.ts';
import { askAgent, readStore } from './takeStatus.ts';

/** What is to be known even where the configuration cannot be read. */
export function machineCollectors(file: string, config: Config | ConfigError, redaction: Redaction): Collector[] {
  return [
    { file: 'versions.json', collect: () => machineFacts(runProgram) },
    { file: 'service.json', collect: () => serviceFacts(runProgram) },
    {
      file: 'config.json',
      collect: () =>
        config instanceof ConfigError
          ? {
              file,
              valid: false,
              problems: config.problems.map(({ text, ...place }) => ({ ...place, text: redaction.own(text) })),
            }
          : { file, valid: true, keys: shownConfig(config) },
    },
  ];
}

export function agentCollectors(
  lookedAt: LookedAt & { readonly config: Config },
  io: Io,
  redaction: Redaction,
): Collector[] {
  const { config } = lookedAt;
  const { imessage, state, logging, edge } = config;
  const stateDb = join(state.dir, 'state.db');
  return [
    { file: 'status.json', collect: async () => statusFacts((await askAgent(config)) ?? readStore(config), redaction) },
    { file: 'metrics.txt', collect: () => metricsLines(config) },
    { file: 'log.txt', collect: () => logLines(logging.file, redaction) },
    { file: 'doctor.json', collect: () => doctorFacts(lookedAt, redaction) },
    { file: 'connection.json', collect: () => connectionFacts(config, io, redaction) },
    { file: 'chatdb.json', collect: () => databaseFacts(imessage.db_path) },
    { file: 'statedb.json', collect: () => databaseFacts(stateDb) },
    {
      file: 'files.json',
      collect: () => ({
        state_free_bytes: freeBytes(state.dir),
        files: fileFacts([
          ...(edge.secret_file === undefined ? [] : [edge.secret_file]),
          state.dir,
          dirname(logging.file),
          dirname(imessage.db_path),
          ...['', '-wal', '-shm'].map((suffix) => imessage.db_path + suffix),
          config.sending.osascript_path,
        ]),
      }),
    },
  ];
}

async function metricsLines(config: Config): Promise<string[]> {
  const socketPath = controlSocketPath(config.state.dir);
  const { body } = await controlRequest({ socketPath, method: 'GET', path: '/metrics' });
  return String(body).split('\n');
}

/** What the doctor finds on this Mac, in its own words. */
async function doctorFacts(lookedAt: LookedAt, redaction: Redaction) {
  const checks = await examine(doctorChecks(lookedAt), systemClock);
  return {
    status: worstOf(checks),
    checks: checks.map((finding) => ({ ...finding, text: redaction.own(finding.text) })),
  };
}

/** The steps of the doctor, without what went over the wire. */
async function connectionFacts(config: Config, io: Io, redaction: Redaction) {
  const { at, agent, network, steps } = await examineConnection(config, io);
  const facts = steps.map(({ step, target, status, ms, text, fix }) => ({
    step,
    target,
    status,
    ms,
    text: redaction.own(text),
    fix,
  }));
  return { at, agent, network, steps: facts };
}
