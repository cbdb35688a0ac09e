export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes lines of the log. `args` beyond the message appear as a JSON array. Never hand it a secret. */
export interface Logger {
  debug(message: string, ...args: unknown[]): void;
  info(message: string, ...args: unknown[]): void;
  warn(message: string, ...args: unknown[]): void;
  error(message: string, ...args: unknown[]): void;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
