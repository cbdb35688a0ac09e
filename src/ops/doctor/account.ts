import { type AgentView, hasMet } from './AgentView.ts';
import { type Check, fail, pass, skip, warn } from './Check.ts';
import type { AskMessages } from './messagesProbe.ts';

const SIGN_IN = 'On the Mac’s screen: Messages → Settings → iMessage: sign in, and switch on “Enable this account”.';

/** Whether Messages is signed in, and has the services that the configuration counts on. */
export function account(o: { messages: AskMessages; agent: Promise<AgentView>; needsSms: boolean }): Check {
  return {
    name: 'account',
    async run() {
      const [agent, messages] = await Promise.all([o.agent, o.messages()]);
      if (messages.kind === 'unasked') {
        return messages.finding.status === 'skip' ? messages.finding : skip('not looked at: see the check automation');
      }
      if (messages.kind !== 'answers') {
        if (hasMet(agent, 'EDGE_SEND_NO_ACCOUNT')) {
          return fail('EDGE_SEND_NO_ACCOUNT: the running agent found no account in Messages', SIGN_IN);
        }
        return skip('not looked at: see the checks messages and automation');
      }
      const { accounts, iMessage, sms } = messages;
      if (accounts === 0) return fail('EDGE_SEND_NO_ACCOUNT: nobody is signed in to Messages', SIGN_IN);
      if (iMessage === 0) return fail('EDGE_SEND_NO_ACCOUNT: no iMessage account is switched on in Messages', SIGN_IN);
      if (o.needsSms && sms === 0) {
        return warn(
          'sending.sms_fallback is true, and Messages has no SMS account',
          'On the iPhone of the same Apple Account: Settings → Apps → Messages → Text Message Forwarding: switch this Mac on. Or: sending.sms_fallback: false',
        );
      }
      return pass(`signed in to iMessage${sms > 0 ? ', and SMS goes through the iPhone' : ''}`);
    },
  };
}
