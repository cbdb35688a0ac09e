import { createPrivacyFilter, type PrivacyFilter, type PrivacySettings } from './privacy.ts';

/** A privacy filter whose settings can be replaced while messages come in; each message meets one set of them. */
export class LivePrivacyFilter implements PrivacyFilter {
  #filter: PrivacyFilter;

  constructor(settings: PrivacySettings) {
    this.#filter = createPrivacyFilter(settings);
  }

  replace(settings: PrivacySettings): void {
    this.#filter = createPrivacyFilter(settings);
  }

  refuses(...message: Parameters<PrivacyFilter['refuses']>): string | undefined {
    return this.#filter.refuses(...message);
  }

  redact(...text: Parameters<PrivacyFilter['redact']>): { text: string; redacted: string[] } {
    return this.#filter.redact(...text);
  }
}
