/**
 * Largest attributedBody that is read: a text of 16 MiB with its runs. Messages itself cuts texts far below. Larger ones
 * are undecodable.
 */
export const MAX_BODY_BYTES = 17 * 1024 * 1024;

/**
 * Values, objects and classes one body may have, counted as if every reference were written out in full, so that what
 * comes out is bounded too for whoever walks it. Real bodies stay below 10,000; at the limit a body takes some 10 ms.
 */
export const MAX_WORK = 100_000;

/** What a run counts for: it becomes objects of its own. Leaves 16,000 runs. */
export const RUN_WORK = 6;

/** Objects within objects. Attribute values in real bodies nest three deep. */
export const MAX_DEPTH = 32;

/** Longest type encoding in bytes; the structs in Apple's own archives have some 40. */
export const MAX_ENCODING_LENGTH = 512;

/** Longer attribute names are left out: comparing many long equal keys would take quadratic time. */
export const MAX_KEY_LENGTH = 256;

/** Longest text of which two neighbouring runs are compared, for the same reason. */
export const MAX_COMPARED_LENGTH = 512;
