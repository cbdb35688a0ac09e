import { type } from 'node:os';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';

/**
 * The exit code, after it has said why, where there is no LaunchAgent to be had: no macOS, or root, who has no Messages.
 * EDGE_INSTALL_ALLOW_OS=Linux lets tests go on there, against stand-ins for the programs of macOS.
 */
export function refuseUnlessMac({ env, err }: Io): number | undefined {
  const os = type();
  if (os === env.EDGE_INSTALL_ALLOW_OS) return undefined;
  if (os !== 'Darwin') {
    err(`edge-agent: this is for macOS; here (on ${os}) run the agent with: edge-agent run\n`);
    return EXIT.unavailable;
  }
  if (process.getuid?.() !== 0) return undefined;
  err('edge-agent: run this as the user who is signed in to Messages, without sudo\n');
  return EXIT.noPermission;
}
