import { shellWord } from '../../util/printable.ts';
import type { PlistDrift } from '../service/plistDrift.ts';
import { ask, type Programs } from './ask.ts';
import { type Check, type Finding, fail, pass, skip, warn } from './Check.ts';

interface Agent {
  readonly plist: string;
  readonly drift: () => PlistDrift;
  /** An upgrade that has not ended, with what ends it. */
  readonly unfinished: { readonly says: string; readonly fix: string } | undefined;
  /** The configuration the LaunchAgent names, where it is another than the one that was looked at. */
  readonly otherConfig: string | undefined;
  /** The Node that it names is not there. */
  readonly isNodeGone: boolean;
  /** As launchd calls it: `gui/501/com.edge-relay.edge-agent`. */
  readonly target: string;
}

const INSTALL = 'edge-agent service install';

/** Whether the LaunchAgent is what this version would write, and launchd has it. */
export function launchAgent(o: Programs & Agent): Check {
  return {
    name: 'service',
    async run() {
      if (o.unfinished) return fail(o.unfinished.says, o.unfinished.fix);
      const drift = o.drift();
      switch (drift.found) {
        case 'missing':
          return o.isMac
            ? warn('not installed: nothing starts the agent when the Mac starts, or again when it fails', INSTALL)
            : skip(`there is no ${o.plist}`);
        case 'unreadable':
          return fail(`${o.plist} cannot be read: ${drift.why}`, `rm -f ${shellWord(o.plist)}; ${INSTALL}`);
        case 'different':
          return warn(
            `${o.plist} is not what this version would write; only there: ${some(drift.extra)}; only in the new one: ${some(drift.lacks)}`,
            `${INSTALL} (edge-agent service plist shows what it writes)`,
          );
        default: {
          const answer = await ask(o, 'launchctl', ['print', o.target]);
          if (!answer.said) return answer.finding;
          if (answer.said.exitCode === 0) return loaded(o);
          return fail(
            'the LaunchAgent is as it should be, but launchd has not loaded it',
            o.isNodeGone ? `${INSTALL} --new-node` : 'edge-agent service start',
          );
        }
      }
    },
  };
}

function loaded({ otherConfig }: Agent): Finding {
  if (otherConfig === undefined) return pass('the LaunchAgent is as it should be, and loaded');
  return warn(
    `the LaunchAgent is loaded, and runs with ${otherConfig}: another configuration than the one looked at here`,
    `edge-agent doctor --config ${shellWord(otherConfig)}`,
  );
}

const some = (lines: readonly string[]) => (lines.length === 0 ? 'nothing' : lines.join(' '));
