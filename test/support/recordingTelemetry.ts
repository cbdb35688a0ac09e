import type { Telemetry } from '../../src/util/Telemetry.ts';

export type TelemetryCall = { event: keyof Telemetry; args: unknown[] };

/** Telemetry that remembers what it was told. */
export function recordingTelemetry(): { telemetry: Telemetry; calls: TelemetryCall[] } {
  const calls: TelemetryCall[] = [];
  const telemetry = new Proxy({} as Telemetry, {
    get:
      (_target, event) =>
      (...args: unknown[]) =>
        calls.push({ event: event as keyof Telemetry, args }),
  });
  return { telemetry, calls };
}
