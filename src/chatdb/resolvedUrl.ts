/** A relative URL is resolved only up to this length of both parts. */
const MAX_RESOLVED_URL_LENGTH = 2048;

/** What resolving one counts for, where work is counted: it takes as long as reading so many values. */
export const RESOLVE_WORK = 100;

/** An NSURL that was written relative to another one; as written where it cannot be resolved. */
export function resolvedUrl(url: string, base: string): string {
  if (base.length + url.length > MAX_RESOLVED_URL_LENGTH) return url;
  return URL.parse(url, base)?.href ?? url;
}
