import { existsSync } from 'node:fs';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig, loadConfig } from '../config/loadConfig.ts';
import { SecretSource } from '../config/SecretSource.ts';
import type { Config } from '../config/schema.ts';
import { EXIT } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { readKeychain } from './secretSource.ts';

/** `edge-agent check-config`: names every problem of the file; starts and writes nothing. */
export function checkConfig(options: CommonOptions, io: Io): number {
  const file = findConfig(options.config, io.cwd, existsSync);
  try {
    const config = loadConfig(file);
    if (options.json) io.out(`${JSON.stringify({ file, valid: true, problems: [] })}\n`);
    else {
      const { agent_id } = config.edge;
      io.out(
        `${file} is valid: agent ${agent_id}, backend ${config.backend.url}, secret from ${secretFrom(config, io)}\n`,
      );
      warnOfSecretFile(config, io);
    }
    return EXIT.ok;
  } catch (error) {
    if (!options.json || !(error instanceof ConfigError)) return explain(error, io);
    io.out(`${JSON.stringify({ file, valid: false, problems: error.problems })}\n`);
    return EXIT.config;
  }
}

function secretFrom({ edge }: Config, io: Io): string {
  if (io.env.EDGE_SECRET) return 'EDGE_SECRET';
  if (edge.secret_file !== undefined) return edge.secret_file;
  if (edge.secret_keychain_service !== undefined) return `the Keychain item ${edge.secret_keychain_service}`;
  return 'nowhere yet (set EDGE_SECRET, edge.secret_file or edge.secret_keychain_service)';
}

/** No fault of the configuration, since the file may come later; but nothing works without it. */
function warnOfSecretFile({ edge }: Config, io: Io): void {
  if (io.env.EDGE_SECRET || edge.secret_file === undefined) return;
  const source = new SecretSource({
    environment: undefined,
    file: edge.secret_file,
    keychain: undefined,
    readKeychain,
  });
  source.refresh();
  if (source.problem)
    io.err(`edge-agent: ${source.problem.code}: ${source.problem.message}\n  ${source.problem.fix}\n`);
}
