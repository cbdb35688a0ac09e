import { type ReadKeychain, SecretSource } from '../config/SecretSource.ts';
import type { Config } from '../config/schema.ts';
import { runProgram } from '../ops/macos/programs.ts';
import { Keychain } from '../ops/service/Keychain.ts';
import type { Io } from './Io.ts';

/** Asks macOS's `security`. */
export const readKeychain: ReadKeychain = (service, account) =>
  new Keychain({ run: runProgram }).read(service, account);

/** The agent's secret, as configuration and environment name it. */
export function secretSource({ edge }: Config, { env }: Io): SecretSource {
  const { secret_file: file, secret_keychain_service: service, agent_id: account } = edge;
  const keychain = service === undefined ? undefined : { service, account };
  return new SecretSource({ environment: env.EDGE_SECRET, file, keychain, readKeychain });
}
