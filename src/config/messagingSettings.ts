import type { Config } from './schema.ts';

/** The keys that messaging/ goes by, in its words. */
export function messagingSettings({ sending, attachments, scheduler, watchdog }: Config) {
  return {
    scriptTimeoutSeconds: sending.script_timeout_seconds,
    settleSeconds: sending.settle_seconds,
    onMissingReceipt: sending.on_missing_receipt,
    smsFallback: sending.sms_fallback,
    bubblePause: sending.bubble_pause,
    maxBubbleChars: sending.max_bubble_chars,
    allowNewThreads: sending.allow_new_threads,
    rate: {
      perMinute: sending.rate.per_minute,
      perHour: sending.rate.per_hour,
      newThreadsPerDay: sending.rate.new_threads_per_day,
    },
    maxSendBytes: attachments.max_send_bytes,
    stagingDir: attachments.staging_dir,
    maxLateSeconds: scheduler.max_late_seconds,
    restartMessages: watchdog.restart_messages,
    silenceHours: watchdog.silence_hours,
    wakeHandle: watchdog.wake_handle,
  };
}
