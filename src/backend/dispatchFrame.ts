import type { RawData } from 'ws';
import { drainSchema, greetingSchema } from '../protocol/wire.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { readFrame } from './readFrame.ts';

/** How much of an unknown frame's type is shown, characters. */
const MAX_SHOWN_TYPE = 64;

export interface FrameHandlers {
  /** `data`, unchecked, and the length of the frame. */
  command(raw: unknown, bytes: number): void;
  /** `data`, unchecked. */
  configUpdate(raw: unknown): void;
  pong(): void;
  /** The backend asks to leave, and to come back after so long; 0: as after a restart. */
  drain(retryAfterMs: number): void;
  greeted(reconnectSpreadMs: number): void;
}

/** Calls what a frame is for. What is none, or of a type this version does not know, is told and left. */
export function dispatchFrame(raw: RawData, isBinary: boolean, telemetry: Telemetry, on: FrameHandlers): void {
  const frame = readFrame(raw, isBinary);
  if ('refused' in frame) {
    telemetry.frameRefused('EDGE_FRAME_INVALID', frame.refused);
    return;
  }
  const { type, data, bytes } = frame;
  if (type === 'command') on.command(data, bytes);
  else if (type === 'config_update') on.configUpdate(data);
  else if (type === 'pong') on.pong();
  else if (type === 'drain') on.drain(drainSchema.safeParse(data).data?.retry_after_ms ?? 0);
  else {
    telemetry.frameIgnored(type.slice(0, MAX_SHOWN_TYPE));
    if (type === 'connected') on.greeted(greetingSchema.safeParse(data).data?.reconnect_spread_ms ?? 0);
  }
}
