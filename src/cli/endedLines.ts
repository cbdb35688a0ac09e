import { ERRORS, type ErrorCode } from '../util/errors.ts';
import { EXIT } from './exitCodes.ts';
import type { Ended, LaunchdView } from './whyDown.ts';

/** What an exit code of ours says to who sees it in `launchctl print`. */
const EXIT_WORDS: Readonly<Record<number, string>> = {
  [EXIT.ok]: 'it was stopped in order',
  [EXIT.unavailable]: 'Node or better-sqlite3 is not as it must be: `edge-agent doctor`',
  [EXIT.internal]: 'a defect: the log has its place',
  [EXIT.io]: 'the disk refused a write',
  [EXIT.tempFail]: 'another agent ran with the same state, or the disk was full',
  [EXIT.noPermission]: 'a permission is missing: `edge-agent doctor`',
  // launchd's own word, too, for a program that is gone or cannot be executed.
  [EXIT.config]:
    'the configuration cannot be used, `edge-agent check-config`; or launchd could not run the program: `edge-agent doctor`',
};

/** Why the agent does not run, and what launchd knows of it: labels with their lines. */
export function endedLines(ended: Ended): (readonly [label: string, lines: readonly string[]])[] {
  return [
    ['why', why(ended, startCommand(ended))],
    [
      'node',
      ended.missing_node === null ? [] : [`${ended.missing_node}, which the service runs, is gone: ${NEW_NODE}`],
    ],
    ['launchd', ended.launchd === null ? [] : [launchdLine(ended.launchd, startCommand(ended))]],
  ];
}

const NEW_NODE = '`edge-agent service install --new-node`';

/** `start` has nothing to start where there is no property list, and nothing to start it with where its Node is gone. */
function startCommand({ launchd, missing_node }: Ended): string {
  if (missing_node !== null) return NEW_NODE;
  return launchd?.installed === false ? '`edge-agent service install`' : '`edge-agent service start`';
}

function why({ why, at, code }: Ended, start: string): string[] {
  const when = at === null ? '' : ` at ${at}`;
  const known = code !== null && code in ERRORS ? ERRORS[code as ErrorCode] : undefined;
  switch (why) {
    case 'never-ran':
      return [`nothing started it yet: ${start}`];
    case 'unknown':
      return [
        `not known: state.db, which would say, cannot be read. \`edge-agent logs\` has its last words; what to do stands below, and then ${start} starts it`,
      ];
    case 'state-gone':
      return [
        'its state.db is gone, although it has run with this state.dir: it was moved or deleted',
        `put it back before it is started; ${start} begins a new one, and sends nothing again that chat.db shows`,
      ];
    case 'starting':
      return ['it needs a moment: `edge-agent status` again; where it stays so, `edge-agent logs` says what it does'];
    case 'stopped':
      return [`on request: \`edge-agent service stop\`, a logout, a shutdown or kill; ${start} starts it`];
    case 'failed':
    case 'crash-loop':
      return [`it ended by itself${when} with ${code}`, ...(known ? [known.means, known.fix] : [])];
    case 'killed':
      return [`killed (SIGKILL, a crash of Node), or the Mac lost its power, at about ${at}`];
  }
}

function launchdLine(launchd: LaunchdView, start: string): string {
  const { installed, loaded, state, last_exit_code: code, last_signal: signal } = launchd;
  if (!loaded) return `does not know it, so nothing starts it: ${start}`;
  const words = code === null ? undefined : EXIT_WORDS[code];
  return [
    `knows it${state === null ? '' : `, ${state}`}`,
    ...(code === null ? [] : [`its last exit code was ${code}${words === undefined ? '' : ` (${words})`}`]),
    ...(signal === null ? [] : [`its last signal ${signal}`]),
    ...(installed ? [] : [`its property list is gone, so it will not start at the next login: ${start}`]),
  ].join('; ');
}
