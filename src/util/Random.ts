/** A number in [0, 1), as Math.random gives; injected so that a test can fix jitter. */
export type Random = () => number;
