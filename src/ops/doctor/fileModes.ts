import { type Stats, statSync } from 'node:fs';
import { shellWord } from '../../util/printable.ts';
import { type Check, fail, pass, skip, warn } from './Check.ts';

export interface Guarded {
  readonly path: string;
  /** The most it may allow. */
  readonly mode: 0o600 | 0o700;
  /** It holds the secret, and the agent does not use it while others may read it. */
  readonly isSecret?: boolean;
}

/** Whether nobody else can read or change what the agent keeps. Files that are not there are left out. */
export function fileModes(o: { files: readonly Guarded[]; uid: number }): Check {
  return {
    name: 'files',
    run() {
      const found = o.files.flatMap((file) => {
        const stat = statSync(file.path, { throwIfNoEntry: false });
        return stat ? [{ ...file, stat }] : [];
      });
      const foreign = found.filter(({ stat }) => stat.uid !== o.uid);
      const open = found.filter(({ stat, mode }) => (stat.mode & 0o777 & ~mode) !== 0);
      if (found.length === 0) return skip('none of them is there yet');
      if (foreign.length === 0 && open.length === 0) return pass(`${found.length} files and folders are yours alone`);
      const text = [
        ...foreign.map(({ path }) => `${path} belongs to another user`),
        ...open.map(({ path, stat, mode }) => `${path} has mode ${octal(stat)}, expected ${mode.toString(8)}`),
      ].join('; ');
      const isGrave = foreign.length > 0 || open.some(({ stat, isSecret }) => isSecret || (stat.mode & 0o022) !== 0);
      return (isGrave ? fail : warn)(text, commands(foreign, open));
    },
  };
}

function commands(foreign: readonly Guarded[], open: readonly Guarded[]): string {
  const words = (files: readonly Guarded[]) => files.map(({ path }) => shellWord(path)).join(' ');
  const owned = foreign.length > 0 ? [`sudo chown "$USER" ${words(foreign)}`] : [];
  const modes = ([0o700, 0o600] as const).flatMap((mode) => {
    const files = open.filter((file) => file.mode === mode);
    return files.length > 0 ? [`chmod ${mode.toString(8)} ${words(files)}`] : [];
  });
  return [...owned, ...modes].join(' && ');
}

function octal({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}
