import type { ChatRow } from '../chatdb/types.ts';
import type { Redactor } from './filterText.ts';
import { messageText } from './messageText.ts';
import { NOTHING_SCANNED, type PrivacyFilter } from './privacy.ts';
import type { AboutMessage } from './threadRules.ts';
import { threadOf } from './toRequest.ts';

/** What the privacy settings are asked of a row, whatever is to be told of it. */
export function aboutOf(row: ChatRow, threadId: string): AboutMessage {
  const sender = row.isFromMe ? undefined : row.handle;
  return { threadId, sender, service: row.service, text: messageText(row) };
}

/**
 * Why nothing more is told of a message that the backend knows in `threadId`; undefined: it may be. One that was handed
 * over without its chat may turn out to be of another conversation, which is asked about too.
 */
export function refusalOf(privacy: PrivacyFilter, row: ChatRow, threadId: string): string | undefined {
  return privacy.refuses(aboutOf(row, threadId)) ?? privacy.refuses(aboutOf(row, threadOf(row) ?? threadId));
}

/** For the versions of a message: what would have been refused had it been all it said is left out. */
export function versionFilter(privacy: PrivacyFilter, about: AboutMessage): Redactor {
  return {
    redact(text, hints) {
      const filtered = privacy.redact(text, hints);
      if (filtered.text === '' || filtered.text === NOTHING_SCANNED) return filtered;
      const refusal = privacy.refuses({ ...about, text });
      return refusal === undefined ? filtered : { text: `[redacted:${refusal}]`, redacted: [refusal] };
    },
  };
}
