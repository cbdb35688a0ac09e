import { ask, type Programs, unclear } from './ask.ts';
import { type Check, fail, pass, warn } from './Check.ts';

/** `pmset -g` prints a setting a line: its name, its value, and for `sleep` who holds it back (pmset(1)). */
const SETTING = /^\s*(sleep|autorestart|womp)\s+(\d+)\s*(\(.*\))?\s*$/gm;

/**
 * Whether the Mac stays awake, comes back after a power failure, and wakes for the network. A Mac without one of the
 * settings (a laptop knows no autorestart) is not asked for it.
 */
export function sleepSettings(o: Programs & { keepsAwake: boolean }): Check {
  return {
    name: 'sleep',
    async run() {
      const answer = await ask(o, 'pmset', ['-g']);
      if (!answer.said) return answer.finding;
      const settings = new Map(
        [...answer.said.stdout.matchAll(SETTING)].map(([, name, value]) => [name, Number(value)]),
      );
      const minutes = settings.get('sleep');
      if (answer.said.exitCode !== 0 || minutes === undefined) return unclear('pmset -g', answer.said);

      const wrong: string[] = [];
      const wanted: string[] = [];
      if (minutes > 0) {
        const held = o.keepsAwake
          ? 'which only the running agent holds back (power.keep_awake)'
          : 'and nothing holds it back';
        wrong.push(`it goes to sleep after ${minutes} min, ${held}`);
        wanted.push('sleep 0');
      }
      if (settings.get('autorestart') === 0) {
        wrong.push('it stays off after a power failure');
        wanted.push('autorestart 1');
      }
      if (settings.get('womp') === 0) {
        wrong.push('it does not wake for the network');
        wanted.push('womp 1');
      }
      if (wrong.length === 0) return pass('the Mac stays awake, and comes back after a power failure');
      const fix = `sudo pmset -a ${wanted.join(' ')} (System Settings → Energy)`;
      return (minutes > 0 && !o.keepsAwake ? fail : warn)(`this Mac: ${wrong.join('; ')}`, fix);
    },
  };
}
