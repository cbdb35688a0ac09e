import type { SendRow } from '../state/SendRow.ts';
import type { Service } from './address.ts';
import type { Verdict } from './scriptErrors.ts';

/**
 * What a verdict comes to where there may be no further form of address. A missing account shows itself in one form and
 * looks like a missing chat in the other, so it counts in whichever form of this round it was met. Without an iMessage
 * account nothing can be sent; without one for SMS or RCS only what goes by them.
 */
export function finalVerdict(
  send: Pick<SendRow, 'addressForm' | 'errorCode' | 'errorDetail'>,
  verdict: Verdict,
  prepared: { readonly nextForm: number | undefined; readonly service: Service },
): Verdict {
  if (verdict.kind !== 'next-form' || prepared.nextForm !== undefined) return verdict;
  const wasMet = send.addressForm > 0 && send.errorCode === 'EDGE_SEND_NO_ACCOUNT';
  const { code, detail } = wasMet
    ? ({ code: 'EDGE_SEND_NO_ACCOUNT', detail: send.errorDetail ?? '' } as const)
    : verdict;
  const stopsAll = code === 'EDGE_SEND_NO_ACCOUNT' && prepared.service === 'iMessage';
  return { kind: stopsAll ? 'paused' : 'failed', code, detail };
}
