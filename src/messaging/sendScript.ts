import type { AddressForm } from './address.ts';

/** Our own time-out comes this much after the one inside the script, so that osascript can tell of -1712 itself, s. */
const INNER_MARGIN_SECONDS = 2;

/**
 * The one script that sends. Everything that varies is an item of argv: form (`participant` | `chat`), target, service
 * (`iMessage` | `SMS` | `RCS`, '' for a chat), text; for a file the text is its path, and a fifth item, `file`, says so. A macOS without RCS takes the word for an undefined variable and
 * answers -2753 when it is reached.
 */
export function sendScript(timeoutSeconds: number): string {
  const inner = Math.max(1, Math.floor(timeoutSeconds) - INNER_MARGIN_SECONDS);
  return `on run argv
	set theForm to item 1 of argv
	set theTarget to item 2 of argv
	set theService to item 3 of argv
	set theText to item 4 of argv
	if (count of argv) > 4 then set theText to (POSIX file theText) as alias
	with timeout of ${inner} seconds
		tell application "Messages"
			if theForm is "chat" then
				send theText to chat id theTarget
			else if theService is "SMS" then
				send theText to participant theTarget of (1st account whose service type = SMS)
			else if theService is "RCS" then
				send theText to participant theTarget of (1st account whose service type = RCS)
			else
				send theText to participant theTarget of (1st account whose service type = iMessage)
			end if
		end tell
	end timeout
end run
`;
}

/** The arguments of sendScript, in the order it reads them. */
export function sendArguments(form: AddressForm, text: string): string[] {
  return form.kind === 'chat' ? ['chat', form.guid, '', text] : ['participant', form.handle, form.service, text];
}

/** The same for the file at an absolute path. */
export function sendFileArguments(form: AddressForm, path: string): string[] {
  return [...sendArguments(form, path), 'file'];
}
