import { ask, type Programs } from './ask.ts';
import type { Finding } from './Check.ts';

/**
 * What Messages says to a harmless question. `odd`: an error that has nothing to do with permission. `unasked`: there is
 * no osascript.
 */
export type MessagesState =
  | { readonly kind: 'answers'; readonly accounts: number; readonly iMessage: number; readonly sms: number }
  | { readonly kind: 'not-running' | 'silent' | 'denied' }
  | { readonly kind: 'odd'; readonly words: string }
  | { readonly kind: 'unasked'; readonly finding: Finding };

export type AskMessages = () => Promise<MessagesState>;

/** Less than the program may take: then AppleScript itself says that it got no answer. In seconds. */
const EVENT_SECONDS = 1;

/** `is running` asks the system; `tell` alone would start a Messages that does not run. */
const SCRIPT = `if application "Messages" is not running then error "Messages is not running" number -600
with timeout of ${EVENT_SECONDS} second
	tell application "Messages"
		set known to count of accounts
		set blue to count of (accounts whose service type = iMessage and enabled = true)
		set green to count of (accounts whose service type = SMS and enabled = true)
	end tell
end timeout
return "accounts " & known & ", iMessage " & blue & ", SMS " & green
`;
const COUNTS = /^accounts (\d+), iMessage (\d+), SMS (\d+)\s*$/;

/** Asks Messages once, however many checks want to know. */
export function messagesProbe(programs: Programs, osascriptPath: string): AskMessages {
  let asked: Promise<MessagesState> | undefined;
  return () => {
    asked ??= probe(programs, osascriptPath);
    return asked;
  };
}

async function probe(programs: Programs, osascriptPath: string): Promise<MessagesState> {
  const answer = await ask(programs, osascriptPath, ['-l', 'AppleScript', '-'], SCRIPT);
  if (!answer.said) return answer.finding.status === 'warn' ? { kind: 'silent' } : { kind: 'unasked', ...answer };
  const { exitCode, stdout, stderr } = answer.said;
  const counts = COUNTS.exec(stdout);
  if (exitCode === 0 && counts) {
    const [accounts = 0, iMessage = 0, sms = 0] = counts.slice(1).map(Number);
    return { kind: 'answers', accounts, iMessage, sms };
  }
  switch (/\((-\d+)\)\s*$/.exec(stderr)?.[1]) {
    case '-600': // procNotFound
    case '-609': // connectionInvalid: it ended while it was asked
      return { kind: 'not-running' };
    case '-1712': // errAETimeout
      return { kind: 'silent' };
    case '-1743': // errAEEventNotPermitted
    case '-1744': // errAEEventWouldRequireUserConsent
      return { kind: 'denied' };
    default:
      return { kind: 'odd', words: (stderr.trim() || stdout.trim()).split('\n')[0]!.slice(0, 200) };
  }
}
