import type { CommonOptions } from './Io.ts';

/** What `edge-agent schedule list --status` takes. */
export const LISTED = ['pending', 'fired', 'cancelled', 'expired', 'all'] as const;

export interface ScheduleListOptions extends CommonOptions {
  readonly status: (typeof LISTED)[number];
  readonly text?: boolean;
}
