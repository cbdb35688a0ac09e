import { messageOf } from '../../util/EdgeError.ts';
import { duration } from '../duration.ts';
import { type Check, fail, pass, skip, warn } from './Check.ts';

/** A Date header has whole seconds and may lie in a cache for some; below this nobody can tell, ms. */
const TOLERATED_MS = 30_000;
/** From here on certificates and the times of schedules are plainly wrong, ms. */
const WRONG_MS = 300_000;

const FIX =
  'sudo systemsetup -setusingnetworktime on; sudo sntp -sS time.apple.com (System Settings → General → Date & Time: Set time and date automatically)';

export interface ServerTime {
  /** The Date header, ms since 1970; undefined where the answer has none. */
  readonly date: number | undefined;
  /** The clock of this Mac as the answer came, and how long the request took, ms. */
  readonly at: number;
  readonly tookMs: number;
}

/** Whether this Mac and the backend have the same time: what is scheduled, and whether a certificate holds, rests on it. */
export function clockSkew(serverTime: () => Promise<ServerTime>): Check {
  return {
    name: 'clock',
    async run() {
      let time: ServerTime;
      try {
        time = await serverTime();
      } catch (error) {
        return skip(`not compared, the backend was not reached: ${messageOf(error)}`);
      }
      if (time.date === undefined) return skip('not compared: the backend does not say what time it is');
      // The header was written between question and answer, and its second may be all but over.
      const ahead = time.at - time.tookMs / 2 - (time.date + 500);
      const off = Math.max(0, Math.abs(ahead) - 500 - time.tookMs / 2);
      if (off <= TOLERATED_MS) return pass('this Mac and the backend have the same time');
      const text = `the clock of this Mac is ${duration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} the backend’s`;
      return (off > WRONG_MS ? fail : warn)(`${text}; times in messages and schedules are wrong by as much`, FIX);
    },
  };
}
