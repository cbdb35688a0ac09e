/** E-mail addresses and numbers of seven digits or more with or without a plus: what a handle looks like in prose. */
const HANDLES =
  /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}{2,}|\+\d{7,15}|(?<![\p{L}\p{N}_-])\d{10,15}(?![\p{L}\p{N}_-])/gu;

/** Details are a line or a short answer; the rest is not worth a pattern that takes quadratic time, characters. */
const MAX_DETAIL = 1000;

/** `+15550100002` → `…0002`: enough to tell two conversations apart, too little to call somebody. */
export function maskHandle(handle: string): string {
  return `…${handle.slice(-4)}`;
}

/** A detail from elsewhere (a script's error, a backend's answer) with the handles in it masked. */
export function maskIn(text: string): string {
  return text.slice(0, MAX_DETAIL).replace(HANDLES, maskHandle);
}
