import { spawnSync } from 'node:child_process';

/** What a case cannot be brought about without. */
export type Need = 'linux' | 'root' | 'strace' | 'mount';

const TESTS: Record<Need, { isThere(): boolean; otherwise: string }> = {
  linux: { isThere: () => process.platform === 'linux', otherwise: 'needs /proc and the tools of Linux' },
  root: { isThere: () => process.getuid?.() === 0, otherwise: 'needs root, to become another user' },
  strace: {
    isThere: () => spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0,
    otherwise: 'needs strace and the right to ptrace a child (apt-get install strace)',
  },
  mount: {
    isThere: () => spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0,
    otherwise: 'needs root and the right to mount a tmpfs in a namespace of its own',
  },
};

/** Why the case cannot run here; undefined: it can. */
export function missing(needs: readonly Need[]): string | undefined {
  return needs.map((need) => TESTS[need]).find(({ isThere }) => !isThere())?.otherwise;
}
