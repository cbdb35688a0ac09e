import { ask, type Programs, unclear } from './ask.ts';
import { type Check, pass, warn } from './Check.ts';

const DOMAIN = '/Library/Preferences/com.apple.loginwindow';
const PLACE = 'System Settings → Users & Groups → Automatically log in as';

/** Whether the agent's user is logged in after a start of the Mac, without which no LaunchAgent of theirs starts. */
export function autoLogin(o: Programs & { user: string }): Check {
  return {
    name: 'login',
    async run() {
      const answer = await ask(o, 'defaults', ['read', DOMAIN, 'autoLoginUser']);
      if (!answer.said) return answer.finding;
      const { exitCode, stdout, stderr } = answer.said;
      const fix = `${PLACE}: ${o.user}. While FileVault is on it cannot be chosen.`;
      const after = 'after a restart the agent does not run until';
      // defaults(1) ends with 1 both for what is not set and for what it cannot read.
      if (exitCode === 1 && /does not exist/.test(stderr)) {
        return warn(`nobody is logged in automatically: ${after} somebody logs in as ${o.user}`, fix);
      }
      const user = stdout.trim();
      if (exitCode !== 0 || user === '') return unclear(`defaults read ${DOMAIN} autoLoginUser`, answer.said);
      if (user === o.user) return pass(`${user} is logged in automatically`);
      return warn(`another user is logged in automatically: ${after} somebody logs in as ${o.user} too`, fix);
    },
  };
}
