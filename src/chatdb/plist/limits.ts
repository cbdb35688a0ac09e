/** Largest plist that is read; a link's preview with its pictures has some 100 KiB. */
export const MAX_PLIST_BYTES = 17 * 1024 * 1024;

/**
 * Values one plist may have, counted as if every reference were written out in full, so that what comes out is bounded
 * too for whoever walks it: objects may stand within several others, and within each of those again. Real ones stay
 * below 2,000; at the limit a plist takes some 5 ms.
 */
export const MAX_PLIST_WORK = 20_000;

/** Bytes of a string that count as one value: strings may overlap in the file, each would be copied out. */
export const BYTES_PER_WORK = 256;

/** Values within values. An archive's objects stand side by side; what they make nests some ten deep. */
export const MAX_PLIST_DEPTH = 64;

/** Longer keys are left out: comparing many long equal keys would take quadratic time. */
export const MAX_PLIST_KEY_LENGTH = 256;
