/**
 * Leaves out of `whole` what is not needed for it to fail: halves first, then ever smaller pieces, down to single
 * steps. `fails` is asked of each shorter one; what is returned failed when it was last tried.
 */
export async function shortest<T>(
  whole: readonly T[],
  fails: (shorter: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = whole;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const shorter = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (await fails(shorter)) kept = shorter;
      else at += size;
    }
  }
  return kept;
}
