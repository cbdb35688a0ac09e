/** Finds one kind of facts for a bundle. Looks only, changes nothing, and does not need the agent. */
export interface Collector {
  /** Its file in the bundle; `.json` gets an object, `.txt` lines. */
  readonly file: string;
  /** May throw or hang: the bundle then says so in its place. */
  collect(): unknown;
}

/** What became of a collector, as manifest.json has it. */
export interface Collected {
  readonly file: string;
  readonly ms: number;
  /** Undefined where the file is in the bundle. */
  readonly problem?: string;
  readonly content?: unknown;
}
