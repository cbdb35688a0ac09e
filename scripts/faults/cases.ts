/** Every case of the fault suite by what it is about; its tests are in test/faults, in the file that `fileOf` begins. */
export const CASES: Readonly<Record<string, string>> = {
  C1: 'killed while the backend holds the request',
  C2: 'killed right after the answer',
  C3: 'killed at a write to state.db',
  C4: 'killed before the bubble is out',
  C5: 'killed after it, its row there',
  C6: 'killed after it, its row late',
  C7: 'killed before a command is acknowledged',
  C8: 'killed after that, before it is carried out',
  C9: 'killed at random, again and again',
  C10: 'told to stop in the middle of work',
  C11: 'told to stop at any moment of a start',
  C12: 'an error that nobody caught',
  C13: 'fails again right after each start',
  C14: 'two started at once',
  C15: 'killed and started again at once',

  D1: 'no chat.db yet',
  D2: 'chat.db may not be read',
  D3: 'chat.db locked by another program',
  D4: 'chat.db replaced by another file',
  D5: 'chat.db rebuilt or restored',
  D6: 'a busy writer that is killed',
  D7: 'old messages come late',
  D8: 'rows filled, edited and unsent later',
  D9: 'bodies that nobody wrote',
  D10: 'a row deleted before it is posted',
  D11: 'a damaged page',
  D12: 'other files and schemas',
  D13: 'thousands of rows at once',
  D14: 'very long texts and many files',
  D15: 'chat.db is never written to',

  S1: 'disk full',
  S2: 'the disk fails at a sync',
  S3: 'state.db is garbage',
  S4: 'the WAL cut off anywhere',
  S5: 'state.db of yesterday',
  S6: 'older and newer schemas',
  S7: 'a folder with the wrong rights',
  S8: 'a year of messages handed over',

  H1: 'backend down for a day',
  H2: 'accepts and never answers',
  H3: 'processed, then reset',
  H4: 'storms of errors, Retry-After',
  H5: 'too many requests',
  H6: 'one row among many refused',
  H7: 'secret refused',
  H8: 'known already',
  H9: 'answers that are none',
  H10: 'redirects',
  H11: 'certificates',
  H12: 'names and addresses',
  H13: 'slow networks',
  H14: 'through a proxy',

  W1: 'black hole in a session',
  W2: 'silence instead of a handshake',
  W3: 'handshake refused',
  W4: 'every close code',
  W5: 'accepted and closed at once',
  W6: 'a frame too large to take',
  W7: 'bad frames',
  W8: 'fuzzed JSON',
  W9: 'the same command again',
  W10: 'commands queued meanwhile',
  W11: 'socket and poll at once',
  W12: 'a burst of 10,000 commands',
  W13: 'only acknowledgements lost',
  W14: 'a thousand agents come back',
  W15: 'lines that come and go',
  W16: 'no network at all',
  W17: 'told to stop in any state of the socket',
  W18: 'the secret is changed',

  A1: 'not allowed to control Messages',
  A2: 'Messages not running, no such chat',
  A3: 'osascript hangs',
  A4: 'texts that could be taken for code',
  A5: 'success without a bubble',
  A6: 'osascript cannot be started',
  A7: 'many commands for several chats',
  A8: 'a command too old to be sent',
  A9: 'more to send than allowed',

  T1: 'the wall clock is set',
  T2: 'asleep at any moment',
  T3: 'waits longer than a timer',
  T4: 'dates in every form',

  O1: 'broken config.yaml',
  O2: 'the example of it',
  O3: 'reloaded, good and bad',
  O4: 'secrets stay secret',
  O5: 'logs full, closed, rotated',
  O6: 'a bundle for whoever diagnoses',
  O7: 'health and metrics tell of it',
  O8: 'installed, upgraded, taken away',
  O9: 'installed without install scripts',
  O10: 'soak: fault after fault',

  whole: 'everything at random, from one seed',
};

/** What the name of the case's test file begins with: `C09-`, `whole.`. */
export function fileOf(id: string): string {
  const [, letter, number] = /^([A-Z])(\d+)$/.exec(id) ?? [];
  return letter === undefined ? `${id}.` : `${letter}${number!.padStart(2, '0')}-`;
}

/** The case that a test file is for; undefined: for none, as those of the harness. */
export function caseOf(path: string): string | undefined {
  const name = path.split('/').at(-1)!;
  return /\/test\/faults\/[^/]+$/.test(path) ? Object.keys(CASES).find((id) => name.startsWith(fileOf(id))) : undefined;
}

/** The cases that a word of the command line names: one (`C9`, `c09`), a letter's (`C`); none if it names nothing. */
export function casesNamed(word: string): string[] {
  const [, letter, number] = /^([A-Za-z])0*(\d*)$/.exec(word) ?? [];
  if (letter === undefined) return Object.hasOwn(CASES, word) ? [word] : [];
  const name = `${letter.toUpperCase()}${number}`;
  return Object.keys(CASES).filter((id) => (number === '' ? /^[A-Z]\d/.test(id) && id.startsWith(name) : id === name));
}
