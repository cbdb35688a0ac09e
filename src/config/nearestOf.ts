import { distance } from 'fastest-levenshtein';

/** The one of the names that was most likely meant; undefined where none is near. */
export function nearestOf(written: string, names: readonly string[]): string | undefined {
  const plain = written
    .trim()
    .toLowerCase()
    .replaceAll(/[-\s]+/g, '_');
  const [nearest] = names
    .map((name) => ({ name, far: distance(plain, name) }))
    .filter(({ far }) => far <= 2)
    .sort((a, b) => a.far - b.far);
  return nearest?.name;
}
