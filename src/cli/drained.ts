import { once } from 'node:events';
import process from 'node:process';

/** Resolves when what reads the output can take more: much of it is written no faster than it is read. */
export async function drained(): Promise<void> {
  if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
}
