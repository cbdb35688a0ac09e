/** The stream is not what the grammar allows, or more than the limits allow. Does not leave this folder. */
export class StreamDamage extends Error {
  override readonly name = 'StreamDamage';
}
