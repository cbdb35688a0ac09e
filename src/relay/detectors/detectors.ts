import type { Span } from '../../util/TextPattern.ts';
import { findApiKeys } from './apiKey.ts';
import { findIbans } from './iban.ts';
import { findOneTimeCodes } from './oneTimeCode.ts';
import { findPaymentCards } from './paymentCard.ts';
import { findPrivateKeys } from './privateKey.ts';
import { findUsSsns } from './usSsn.ts';

/**
 * Finds what it is named after in a folded text. Work grows with the length of the text alone: nothing in a text can
 * make it back-track. `codes` are one-time codes that the body marks.
 */
type Detector = (text: string, codes: readonly string[]) => Span[];

export type DetectorName = 'payment_card' | 'iban' | 'us_ssn' | 'one_time_code' | 'api_key' | 'private_key';

export const DETECTORS: Readonly<Record<DetectorName, Detector>> = {
  payment_card: findPaymentCards,
  iban: findIbans,
  us_ssn: findUsSsns,
  one_time_code: findOneTimeCodes,
  api_key: findApiKeys,
  private_key: findPrivateKeys,
};
