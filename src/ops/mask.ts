/**
 * A number as people write it: `+1 (555) 010-0002`. The plus begins a word and the code of a country, which has three digits
 * at the most and no 0 first: neither `GMT+0100 2026-01-01` nor a version's build is one.
 */
const WRITTEN = String.raw`(?<![\p{L}\p{N}])\+[1-9]\d{0,2}[ \u00a0.(-]{1,2}\d(?:[ \u00a0.()-]{0,2}\d){5,12}(?!\d)`;
/** What is a handle wherever it stands: e-mail addresses and numbers with a plus, in URLs too. */
const PLAIN = String.raw`[\p{L}\p{N}._%+-]+(?:@|%40)[\p{L}\p{N}.-]+\.\p{L}{2,}|(?:\+|%2[bB])\d{7,15}|${WRITTEN}`;
/** In prose also a number of ten digits or more. An id may be one. */
const HANDLES = new RegExp(String.raw`${PLAIN}|(?<![\p{L}\p{N}_-])\d{10,15}(?![\p{L}\p{N}_-])`, 'gu');
const PLAIN_HANDLES = new RegExp(PLAIN, 'gu');

/** Details are a line or a short answer; the rest is not worth a pattern that takes quadratic time, characters. */
const MAX_DETAIL = 1000;
/** What may be the beginning of a handle that was cut in two, which is none any more; 320 is the longest address. */
const BEGUN = /(?:\+[\d\u00a0 .()-]{1,30}|[\p{L}\p{N}._%+@-]{1,320})$/u;

/** `+15550100002` → `…0002`: enough to tell two conversations apart, too little to call somebody. */
export function maskHandle(handle: string): string {
  return `…${handle.slice(-4)}`;
}

/** A detail from elsewhere (a script's error, a backend's answer) with the handles in it masked. */
export function maskIn(text: string): string {
  const kept = text.length <= MAX_DETAIL ? text : text.slice(0, MAX_DETAIL).replace(BEGUN, '');
  return kept.replace(HANDLES, maskHandle);
}

/** An id that a backend chose, which may have made it of a handle. */
export function maskInId(id: string): string {
  return id.replace(PLAIN_HANDLES, maskHandle);
}
