/** What `edge-agent doctor --only` takes: the checks, in the order in which they are shown. docs/DOCTOR.md has the table. */
export const EXAMINED = [
  'node',
  'config',
  'macos',
  'chat.db',
  'schema',
  'automation',
  'messages',
  'account',
  'sleep',
  'login',
  'filevault',
  'clock',
  'disk',
  'state',
  'files',
  'service',
  'binary',
  'inbound',
  'connection',
] as const;

export type Examined = (typeof EXAMINED)[number];
