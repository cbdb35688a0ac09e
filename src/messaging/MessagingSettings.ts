/** What the operator decides about sending; docs/CONFIGURATION.md has the keys and their limits. */
export interface MessagingSettings {
  readonly scriptTimeoutSeconds: number;
  readonly settleSeconds: number;
  readonly onMissingReceipt: 'retry' | 'report';
  readonly smsFallback: boolean;
  /** A number is ms. */
  readonly bubblePause: 'none' | 'natural' | number;
  readonly maxBubbleChars: number;
  readonly allowNewThreads: boolean;
  /** 0 is no limit. */
  readonly rate: { readonly perMinute: number; readonly perHour: number; readonly newThreadsPerDay: number };
  readonly maxSendBytes: number;
  readonly stagingDir: string;
  readonly maxLateSeconds: number;
  readonly restartMessages: boolean;
  /** 0 is never. */
  readonly silenceHours: number;
  readonly wakeHandle: string | undefined;
}
