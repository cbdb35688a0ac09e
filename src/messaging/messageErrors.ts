/** What message.error says of a bubble that Messages wrote and could not send. docs/SENDING.md has this table. */
export interface MessageError {
  readonly number: number;
  readonly means: string;
  /** `sms`: once by SMS, where sending.sms_fallback allows it. `never`: the bubble has failed. */
  readonly retry: 'sms' | 'never';
  readonly fix: string;
}

const SEND_AGAIN = 'Send it again.';
const NETWORK = 'Check this Mac’s connection to the internet, then send it again.';
const SERVICE = 'Send it again later; if it lasts, see Apple’s System Status page.';
const ANOTHER_WAY = 'Reach the person some other way.';
const SIGN_IN =
  'Sign out of iMessage in Messages → Settings and in again; see that this Mac’s date and time are right.';
const FILE = 'Check that the file opens and how large it is, then send it again.';

/**
 * The numbers are those of FZErrorType in Apple's IMFoundation, as its headers name them (Barcelona, IMFoundation.h);
 * 22, 25, 4 and 39 were also met in databases with just these meanings.
 */
export const MESSAGE_ERRORS: readonly MessageError[] = [
  { number: 1, means: 'Messages does not say what went wrong.', retry: 'never', fix: SEND_AGAIN },
  { number: 2, means: 'Sending was cancelled.', retry: 'never', fix: SEND_AGAIN },
  { number: 3, means: 'The service did not answer in time.', retry: 'never', fix: NETWORK },
  {
    number: 4,
    means: 'The service did not take the bubble, mostly for want of an answer.',
    retry: 'never',
    fix: NETWORK,
  },
  { number: 5, means: 'Messages failed inside.', retry: 'never', fix: 'Quit and reopen Messages, then send it again.' },
  { number: 6, means: 'The network failed.', retry: 'never', fix: NETWORK },
  { number: 7, means: 'The service’s name could not be resolved.', retry: 'never', fix: NETWORK },
  { number: 8, means: 'The connection to the service failed.', retry: 'never', fix: NETWORK },
  { number: 9, means: 'There is no network.', retry: 'never', fix: NETWORK },
  { number: 10, means: 'The network is busy.', retry: 'never', fix: NETWORK },
  { number: 11, means: 'The network refuses the connection.', retry: 'never', fix: NETWORK },
  { number: 12, means: 'The service did not accept this Mac’s signature.', retry: 'never', fix: SIGN_IN },
  { number: 13, means: 'The service could not decode the bubble.', retry: 'never', fix: SERVICE },
  { number: 14, means: 'The service could not read the bubble.', retry: 'never', fix: SERVICE },
  { number: 15, means: 'The service failed inside.', retry: 'never', fix: SERVICE },
  { number: 16, means: 'The service calls the request invalid.', retry: 'never', fix: SERVICE },
  { number: 17, means: 'The service calls the request malformed.', retry: 'never', fix: SERVICE },
  { number: 18, means: 'The service does not know the request.', retry: 'never', fix: SERVICE },
  { number: 19, means: 'The service did not accept this Mac’s token.', retry: 'never', fix: SIGN_IN },
  {
    number: 20,
    means: 'The service refuses the bubble, as it does to an Apple ID that sends too much.',
    retry: 'never',
    fix: 'Send less: lower sending.rate, and wait some hours.',
  },
  { number: 21, means: 'The address is not valid for this service.', retry: 'never', fix: 'Check the thread_id.' },
  {
    number: 22,
    means: 'Nobody is reached at this address on iMessage (not registered, or not any more).',
    retry: 'sms',
    fix: 'Check the thread_id, with its + and country code; for SMS instead set sending.sms_fallback.',
  },
  { number: 23, means: 'The other party’s device cannot take this bubble.', retry: 'never', fix: ANOTHER_WAY },
  { number: 24, means: 'The other party does not accept the bubble.', retry: 'never', fix: ANOTHER_WAY },
  { number: 25, means: 'Messages could not read or convert the file.', retry: 'never', fix: FILE },
  { number: 26, means: 'The bubble could not be encrypted.', retry: 'never', fix: SIGN_IN },
  { number: 27, means: 'The bubble could not be decrypted.', retry: 'never', fix: SIGN_IN },
  {
    number: 28,
    means: 'The bubble could not be encrypted for the other party’s devices.',
    retry: 'never',
    fix: SIGN_IN,
  },
  { number: 29, means: 'The bubble could not be decrypted on the way.', retry: 'never', fix: SIGN_IN },
  { number: 30, means: 'This Mac’s account is switched off.', retry: 'never', fix: SIGN_IN },
  { number: 31, means: 'This Mac has no account for the service.', retry: 'never', fix: SIGN_IN },
  { number: 32, means: 'This Mac’s account wants attention.', retry: 'never', fix: SIGN_IN },
  { number: 33, means: 'This Mac’s account is not valid.', retry: 'never', fix: SIGN_IN },
  { number: 34, means: 'The file could not be uploaded.', retry: 'never', fix: FILE },
  { number: 35, means: 'The file could not be downloaded.', retry: 'never', fix: FILE },
  {
    number: 36,
    means: 'The bubble, too long to go in one piece, could not be uploaded.',
    retry: 'never',
    fix: NETWORK,
  },
  {
    number: 37,
    means: 'The bubble, too long to go in one piece, could not be downloaded.',
    retry: 'never',
    fix: NETWORK,
  },
  { number: 38, means: 'This macOS is too old for the service.', retry: 'never', fix: 'Update macOS.' },
  {
    number: 39,
    means: 'The program behind the service crashed, as under many SMS at once.',
    retry: 'never',
    fix: 'Send it again, and less at once: lower sending.rate.',
  },
  { number: 40, means: 'This Mac is signed out of iMessage.', retry: 'never', fix: SIGN_IN },
  { number: 41, means: 'The file is no longer at the service.', retry: 'never', fix: FILE },
  {
    number: 42,
    means: 'Messages cannot show the text and does not send it.',
    retry: 'never',
    fix: 'Send another text.',
  },
];

const BY_NUMBER = new Map(MESSAGE_ERRORS.map((error) => [error.number, error]));

/** A number that is not in the table gets an entry that says so. */
export function messageError(number: number): MessageError {
  return (
    BY_NUMBER.get(number) ?? {
      number,
      means: 'Messages could not send it; this number is not known.',
      retry: 'never',
      fix: 'Look at the bubble in Messages on this Mac; report the number and the macOS version.',
    }
  );
}

/** For acks, events and the log: `message.error 22: what it means. What to do.` */
export function refusalDetail(number: number): string {
  const { means, fix } = messageError(number);
  return `message.error ${number}: ${means} ${fix}`;
}
