import type { Balloon } from './Balloon.ts';

/** Never throws: a payload that cannot be read leaves its words out. */
export function readBalloon(bundleId: string, _payload: Uint8Array | undefined): Balloon {
  return { kind: 'app', bundleId, app: undefined, caption: undefined, url: undefined };
}
