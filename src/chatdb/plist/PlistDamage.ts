/** The plist is not what the format allows, or more than the limits allow. Does not leave this folder. */
export class PlistDamage extends Error {
  override readonly name = 'PlistDamage';
}
