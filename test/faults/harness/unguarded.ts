/** `relay` for cases that answer one person more often than people write: it would look like two programs that answer each other. */
export const UNGUARDED = { loop_guard_answers: 10_000 };
