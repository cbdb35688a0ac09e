import type { RunProgram } from '../../ops/macos/programs.ts';
import type { AgentStatus } from '../../ops/status.ts';
import type * as Person from './askPerson.ts';

const OPEN_MS = 10_000;
const PANE = 'x-apple.systempreferences:com.apple.preference.security?';

interface Permission {
  readonly name: string;
  readonly pane: string;
  readonly steps: (node: string) => string;
}

const PERMISSIONS: readonly Permission[] = [
  {
    name: 'Full Disk Access',
    pane: 'Privacy_AllFiles',
    steps: (node) =>
      `So that the agent can read messages. In the list that opens press +, then Cmd-Shift-G, and give exactly\n\n  ${node}\n\nIf it is in the list already, take it out with - first: switching it off and on is not enough.`,
  },
  {
    name: 'Automation',
    pane: 'Privacy_Automation',
    steps: () =>
      'So that the agent can send. macOS asks on this screen whether edge-agent-node may control Messages: allow it.\nIf it was asked before and refused, switch Messages on below edge-agent-node in the list that opens.',
  },
];

/** Walks a person through what macOS lets nobody but them do. What is open or not is seen when it is looked for. */
export async function walkThroughPermissions(node: string, run: RunProgram, person: typeof Person): Promise<void> {
  for (const { name, pane, steps } of PERMISSIONS) {
    person.show(name, steps(node));
    const opened = await run('open', [PANE + pane], { timeoutMs: OPEN_MS });
    if (opened.exitCode !== 0) person.show('System Settings', `Open it: Privacy & Security → ${name}.`);
    await person.askWhether('Done?');
  }
}

/** Whether one of the two is known to be missing. */
export function lacksPermission(agent: AgentStatus | undefined): boolean {
  return (agent?.conditions ?? []).some(({ code }) =>
    ['EDGE_CHATDB_NO_PERMISSION', 'EDGE_SEND_NOT_PERMITTED'].includes(code),
  );
}
