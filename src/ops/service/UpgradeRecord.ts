import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { shellWord } from '../../util/printable.ts';
import { replaceFile } from '../../util/replaceFile.ts';

/** Beside `current`. */
export const UPGRADE_RECORD = 'upgrade.json';

const upgradeSchema = z.object({
  /** The releases, by id. `from`: what ran; null: nothing did. */
  from: z.string().nullable(),
  to: z.string(),
  /** The property list that ran; null: there was none. */
  plist: z.string().nullable(),
  /** The folder with the state as it was; null: not copied yet, or there was none. */
  backup: z.string().nullable(),
  begun_at: z.string(),
});

/** An upgrade, or a first install, that has begun. */
export type Upgrade = z.infer<typeof upgradeSchema>;

/**
 * Says what is to be gone back to while one release takes the place of another: written before anything changes, gone once
 * either runs, or a command finds that it does. Where it is found and nobody is at work, the one at work was killed.
 */
export class UpgradeRecord {
  readonly #path: string;

  /** `dir`: the folder of the releases. */
  constructor(dir: string) {
    this.#path = join(dir, UPGRADE_RECORD);
  }

  /** Undefined where there is none, or none that can be read: what is in place counts then. */
  read(): Upgrade | undefined {
    try {
      return upgradeSchema.safeParse(JSON.parse(readFileSync(this.#path, 'utf8'))).data;
    } catch {
      return undefined;
    }
  }

  /** On disk when it returns. @throws Error */
  write(upgrade: Upgrade): void {
    replaceFile(this.#path, `${JSON.stringify(upgrade, undefined, 2)}\n`);
  }

  clear(): void {
    rmSync(this.#path, { force: true });
  }
}

/** What happened, for a person. */
export function sayUnfinished({ from, to, begun_at }: Upgrade): string {
  return `the upgrade from ${from ?? 'nothing'} to ${to}, begun ${begun_at}, has not ended; unless it is at work now, it was interrupted`;
}

/** The command that goes on with an upgrade that was interrupted, and the one that goes back; each of them ends it. */
export function waysOutOf({ from, to }: Upgrade, appDir: string): { on: string; back: string | undefined } {
  const command = (id: string) => `edge-agent service upgrade --from ${shellWord(join(appDir, id))}`;
  return { on: command(to), back: from === null || from === to ? undefined : command(from) };
}
