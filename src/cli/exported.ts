import type { CommonOptions } from './Io.ts';

/** What `edge-agent export --what` takes. */
export const EXPORTED = ['messages', 'receipts'] as const;
export type Exported = (typeof EXPORTED)[number];

export interface ExportOptions extends CommonOptions {
  /** ms since 1970 */
  readonly since?: number;
  /** ms since 1970, exclusive */
  readonly until?: number;
  readonly thread?: string;
  readonly what: readonly Exported[];
  readonly text?: boolean;
}
