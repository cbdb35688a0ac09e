/** A reference within a keyed archive: the number of an object in its `$objects`. */
export class Uid {
  readonly index: number;

  constructor(options: { index: number }) {
    this.index = options.index;
  }
}
