import { type AgentView, hasMet } from './AgentView.ts';
import { type Check, fail, pass, skip, warn } from './Check.ts';
import type { AskMessages } from './messagesProbe.ts';

const REOPEN = 'killall Messages; sleep 3; open -gja Messages';

/** Whether Messages runs and answers. */
export function messagesRunning(o: { messages: AskMessages; agent: Promise<AgentView> }): Check {
  return {
    name: 'messages',
    async run() {
      const [agent, messages] = await Promise.all([o.agent, o.messages()]);
      switch (messages.kind) {
        case 'answers':
          return pass('Messages runs and answers');
        case 'not-running':
          return warn(
            'EDGE_SEND_MESSAGES_DOWN: Messages does not run; it is opened when something is to be sent',
            'open -gja Messages',
          );
        case 'silent': {
          const code = hasMet(agent, 'EDGE_MESSAGES_HUNG') ? 'EDGE_MESSAGES_HUNG: ' : '';
          return fail(
            `${code}Messages does not answer: it hangs, or a dialog waits`,
            `Look at the Mac’s screen for a dialog (of Messages, or whether it may be controlled) and answer it. If there is none: ${REOPEN}`,
          );
        }
        case 'odd':
          return warn(`Messages runs, and answers with an error: ${messages.words}`, REOPEN);
        case 'denied':
          return skip('Messages may not be asked: see the check automation');
        case 'unasked':
          return messages.finding.status === 'skip'
            ? messages.finding
            : skip('Messages was not asked: see the check automation');
      }
    },
  };
}
