import type { Form } from './Behaviour.ts';

/** What a program sees of an osascript that ended. */
export interface ScriptAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An osascript that ended well; `send` returns nothing, so nothing is printed. */
export function scriptSuccess(stdout = ''): ScriptAnswer {
  return { exitCode: 0, stdout, stderr: '' };
}

/**
 * An osascript that ended with an AppleScript error: the character range in the script, the words, the number, exit 1
 * (as quoted in anthropics/claude-plugins-official #1012: `45:94: execution error: Messages got an error: …`).
 */
export function scriptFailure(code: number, message: string): ScriptAnswer {
  return { exitCode: 1, stdout: '', stderr: `45:94: execution error: ${message} (${code})\n` };
}

/** The words macOS has for a number; the apostrophes are typographic, as there. */
export function errorMessage(code: number, target: { form: Form; target: string; service: string }): string {
  switch (code) {
    case -1728:
      return target.form === 'chat'
        ? `Messages got an error: Can’t get chat id "${target.target}".`
        : `Messages got an error: Can’t get participant "${target.target}" of account 1.`;
    case -1743:
      return 'Not authorized to send Apple events to Messages.';
    case -1712:
      return 'Messages got an error: AppleEvent timed out.';
    case -600:
      return 'Messages got an error: Application isn’t running.';
    case -609:
      return 'Messages got an error: Connection is invalid.';
    case -1719:
      return `Messages got an error: Can’t get account 1 whose service type = ${target.service}. Invalid index.`;
    case -2753:
      return 'The variable targetService is not defined.';
    case -1700:
      return `Messages got an error: Can’t make ${target.service} into type service type.`;
    default:
      return `Messages got an error: An error of type ${code} has occurred.`;
  }
}
