/** What a subcommand may touch of the process around it. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends the process at once. */
  readonly exit: (code: number) => never;
}

/** Options every subcommand takes. */
export interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
}
