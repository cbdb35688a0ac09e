import { join } from 'node:path';

/** What launchd calls the agent. One a macOS user: it is loaded into `gui/UID`, and all its files lie below their home. */
export const SERVICE_LABEL = 'com.edge-relay.edge-agent';

/** Where the files of the service are, whatever the configuration says. */
export interface ServicePaths {
  readonly plist: string;
  readonly logDir: string;
  /** What is said before the log opens. launchd writes it and does not rotate it. */
  readonly stderrLog: string;
  /** The private copy of Node, and the record of it. */
  readonly runtimeDir: string;
  /** The copies of the program that the service runs. */
  readonly appDir: string;
}

export function servicePaths(home: string): ServicePaths {
  const logDir = join(home, 'Library/Logs/edge-agent');
  const support = join(home, 'Library/Application Support/edge-agent');
  return {
    plist: join(home, 'Library/LaunchAgents', `${SERVICE_LABEL}.plist`),
    logDir,
    stderrLog: join(logDir, 'edge-agent.stderr.log'),
    runtimeDir: join(support, 'runtime'),
    appDir: join(support, 'app'),
  };
}
