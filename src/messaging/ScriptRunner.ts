export interface ScriptResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** It was told to end because its time was over. */
  timedOut: boolean;
}

/** Runs an AppleScript: the port behind which `osascript` stands. */
export interface ScriptRunner {
  /**
   * `script` is fixed text; everything that varies goes into `args`.
   * @throws EdgeError EDGE_SEND_SPAWN when nothing was started
   */
  run(script: string, args: readonly string[], options: { timeoutMs: number }): Promise<ScriptResult>;
  /** Resolves when none is running. */
  idle(): Promise<void>;
}
