/** What `edge-agent doctor --only` takes. */
export const EXAMINED = ['chat.db', 'connection'] as const;
