import type { Telemetry } from '../util/Telemetry.ts';
import type { SecretSource } from './SecretSource.ts';

/** The secret as the backend rooms ask for it. Each time it is read, what is wrong with it is raised or cleared. */
export function credentials(secrets: SecretSource, telemetry: Telemetry) {
  const tell = () => {
    const { problem } = secrets;
    for (const code of ['EDGE_SECRET_MISSING', 'EDGE_SECRET_FILE_MODE'] as const) {
      if (problem?.code === code) telemetry.conditionRaised(code, problem.message);
      else telemetry.conditionCleared(code);
    }
  };
  return {
    secret: () => {
      const secret = secrets.current();
      tell();
      return secret;
    },
    refreshSecret: () => {
      secrets.refresh();
      tell();
    },
  };
}
