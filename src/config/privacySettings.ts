import type { Config } from './schema.ts';

/** The keys that the privacy filter goes by, in its words. */
export function privacySettings({ privacy: { redact, threads, drop } }: Config) {
  return { redact, allowThreads: threads.allow, denyThreads: threads.deny, drop };
}
