import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { sectionsOf } from '../config/sectionsOf.ts';
import { skip } from '../ops/doctor/Check.ts';
import { examine, type NamedFinding, worstOf } from '../ops/doctor/examine.ts';
import { systemClock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import { connectionReport } from './connectionReport.ts';
import { doctorChecks, type LookedAt } from './doctorChecks.ts';
import { type ConnectionFindings, connectionFinding, examineConnection } from './examineConnection.ts';
import { EXIT } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { renderDoctor, tally } from './renderDoctor.ts';

/** As `status` and the usual health checks have it: a warning is no reason to stop anything. */
const DOCTOR_EXIT = { pass: 0, warn: 1, fail: 2 } as const;
/** As a report names standard output. */
const STDOUT = '-';

export interface DoctorOptions extends CommonOptions {
  /** Of examined.ts; undefined: everything. */
  readonly only?: readonly string[];
  /** A file for what is to be sent to the backend's people, or `-`. */
  readonly report?: string;
}

/** `edge-agent doctor`: looks at what the agent needs of this Mac and of its backend, whether it runs or not. */
export async function doctor(options: DoctorOptions, io: Io): Promise<number> {
  const file = resolve(io.cwd, findConfig(options.config, io.cwd, existsSync));
  const config = configOf(file);
  const problem = 'problem' in config ? config.problem : undefined;
  const lookedAt = { config, file, named: options.config, cwd: io.cwd };
  // Programs this one starts need no secret, and an environment can be listed.
  delete process.env.EDGE_SECRET;
  const isAsked = (name: string) => options.only === undefined || options.only.includes(name);
  if (options.report !== undefined && !isAsked('connection')) {
    io.err('edge-agent: --report is about the connection; leave --only out, or add --only connection.\n');
    return EXIT.usage;
  }
  if (options.report !== undefined && problem) return explain(problem, io);
  // A configuration that cannot be used is said whatever was asked for: it is why something was not looked at.
  const checks = doctorChecks(lookedAt).filter(({ name }) => isAsked(name) || (problem && name === 'config'));
  const [onMac, connection] = await Promise.all([
    examine(checks, systemClock),
    isAsked('connection') && !('problem' in config) ? examineConnection(config, io) : undefined,
  ]);
  const way = connection ? connectionFinding(connection.steps) : UNKNOWN_WAY;
  const findings = isAsked('connection') ? [...onMac, way] : onMac;
  const status = worstOf(findings);
  if (options.report !== STDOUT) io.out(options.json ? json(status, findings, connection) : text(findings, connection));
  if (options.report !== undefined && connection && !tell(connection, options.report, io)) return EXIT.io;
  return DOCTOR_EXIT[status];
}

const UNKNOWN_WAY: NamedFinding = {
  name: 'connection',
  ...skip('not looked at: the configuration cannot be used; see the check config'),
  ms: 0,
};

function configOf(file: string): LookedAt['config'] {
  try {
    return loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problem: error, sections: sectionsOf(file) };
  }
}

/** Writes the report; false where it could not be. */
function tell(connection: ConnectionFindings, report: string, io: Io): boolean {
  const markdown = connectionReport(connection);
  if (report === STDOUT) {
    io.out(markdown);
    return true;
  }
  const file = resolve(io.cwd, report);
  try {
    writeFileSync(file, markdown, { mode: 0o600 });
  } catch (error) {
    io.err(`edge-agent: the report cannot be written: ${messageOf(error)}\n`);
    return false;
  }
  io.err(`The report for the backend’s people is in ${file}\n`);
  return true;
}

/** `connection` has the steps, or is null where they were not looked at. JSON leaves undefined fields out; here none is. */
function json(status: string, checks: readonly NamedFinding[], connection: ConnectionFindings | undefined): string {
  const report = { status, checks, connection: connection?.steps };
  return `${printable(JSON.stringify(report, (_key, value) => (value === undefined ? null : value)))}\n`;
}

function text(findings: readonly NamedFinding[], connection: ConnectionFindings | undefined): string {
  const sum = findings.length > 1 ? `\n${tally(findings)}\n` : '';
  return renderDoctor(findings, connection?.steps) + sum;
}
