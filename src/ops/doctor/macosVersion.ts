import { ask, type Programs, unclear } from './ask.ts';
import { type Check, fail, pass, warn } from './Check.ts';
import { NEWEST_KNOWN, OLDEST_KNOWN, QUIRKS } from './macosQuirks.ts';

/** Whether this macOS is one whose Messages is known, and what is peculiar to it. */
export function macosVersion(programs: Programs): Check {
  return {
    name: 'macos',
    async run() {
      const answer = await ask(programs, 'sw_vers', ['-productVersion']);
      if (!answer.said) return answer.finding;
      const version = answer.said.stdout.trim();
      const major = /^(\d+)(\.\d+)*$/.exec(version)?.[1];
      if (answer.said.exitCode !== 0 || major === undefined) return unclear('sw_vers -productVersion', answer.said);
      if (Number(major) < OLDEST_KNOWN) {
        return fail(
          `macOS ${version} is too old: edge-agent needs ${OLDEST_KNOWN} or newer`,
          'System Settings → General → Software Update; where that offers nothing newer, use another Mac.',
        );
      }
      if (Number(major) > NEWEST_KNOWN) {
        return warn(
          `macOS ${version} is newer than any that edge-agent was built for (${NEWEST_KNOWN}); most works, and the checks chat.db, schema and automation tell what does not`,
          'npm install -g edge-relay@latest; and leave major updates of macOS until a version of edge-agent names them.',
        );
      }
      const known = QUIRKS.filter(({ from, to }) => Number(major) >= from && Number(major) <= to);
      return pass([`macOS ${version}`, ...known.map(({ text }) => text)].join('; '));
    },
  };
}
