import { ask, type Programs, unclear } from './ask.ts';
import { type Check, pass, warn } from './Check.ts';

const FIX =
  'System Settings → Privacy & Security → FileVault: turn it off where the Mac stands safely. Where it must stay on, restart with: sudo fdesetup authrestart';

/** FileVault asks for a password before macOS starts: after a power failure nobody is there to type it. */
export function fileVault(programs: Programs): Check {
  return {
    name: 'filevault',
    async run() {
      const answer = await ask(programs, 'fdesetup', ['status']);
      if (!answer.said) return answer.finding;
      const { stdout } = answer.said;
      if (/FileVault is Off/.test(stdout)) return pass('off: the Mac starts without somebody at its keyboard');
      if (!/FileVault is On/.test(stdout)) return unclear('fdesetup status', answer.said);
      return warn(
        'on: after a power failure or a restart the Mac waits for a password at its keyboard, and nothing runs',
        FIX,
      );
    },
  };
}
