import { readArchive } from './plist/readPlist.ts';

/**
 * What the data detector took a stretch of text for, in its own words (`AuthCode`, `Date`, `Money`, `FlightInformation`,
 * `TrackingNumber`, …), from DecodedBody.detections; undefined where the archive does not say. Never throws.
 */
export function detectedType(archive: Uint8Array): string | undefined {
  try {
    const result = readArchive(archive)?.get('dd-result');
    const type: unknown = result instanceof Map ? result.get('T') : undefined;
    return typeof type === 'string' ? type : undefined;
  } catch {
    return undefined;
  }
}
