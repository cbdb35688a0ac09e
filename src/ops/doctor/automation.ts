import { type AgentView, hasMet } from './AgentView.ts';
import { type Check, fail, pass, skip, warn } from './Check.ts';
import type { AskMessages } from './messagesProbe.ts';

const PANE = 'System Settings → Privacy & Security → Automation';

/**
 * Whether Messages may be controlled. macOS gives that to the program that is responsible: under launchd the Node of the
 * agent, from a terminal the terminal. So what the running agent has met goes before what the doctor meets.
 */
export function automation(o: { messages: AskMessages; agent: Promise<AgentView>; node: string }): Check {
  return {
    name: 'automation',
    async run() {
      const [agent, messages] = await Promise.all([o.agent, o.messages()]);
      const fix = `${PANE}: under ${o.node} switch Messages on. If it is not listed: tccutil reset AppleEvents, then send something (edge-agent send) and answer the dialog on the Mac’s screen.`;
      if (hasMet(agent, 'EDGE_SEND_NOT_PERMITTED')) {
        return fail('EDGE_SEND_NOT_PERMITTED: macOS does not let the running agent control Messages', fix);
      }
      const isRunning = agent.kind === 'running';
      switch (messages.kind) {
        case 'denied':
          return isRunning
            ? warn(
                'this terminal may not control Messages, and so cannot ask it; the running agent has met no refusal',
                `${PANE}: switch Messages on under the program you run this from, to have the checks messages and account.`,
              )
            : fail('EDGE_SEND_NOT_PERMITTED: macOS does not let this program control Messages', fix);
        case 'not-running':
        case 'silent':
          return skip('Messages was not asked: see the check messages');
        case 'unasked':
          return messages.finding;
        default:
          return pass(
            isRunning
              ? 'Messages may be controlled, and the running agent has met no refusal'
              : `Messages may be controlled from here; for the agent that launchd starts macOS asks once more, for ${o.node}`,
          );
      }
    },
  };
}
