import type { PrivacyFilter } from './privacy.ts';

/** What the privacy settings say of a message that changed. */
export interface RevisionPrivacy extends PrivacyFilter {
  /** Why nothing may be told of it; undefined when it may. */
  refuses(about: { threadId: string; sender: string | undefined; service: string; text: string }): string | undefined;
}
