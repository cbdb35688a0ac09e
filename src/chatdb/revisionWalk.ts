import { SECONDS_BELOW, sinceParameters } from './appleDate.ts';
import type { Statements } from './connection.ts';
import type { RawRevision } from './rawRows.ts';
import type { Revision, RevisionPage, RevisionPlace } from './types.ts';

/** Rows looked at for one page: about 3 ms. */
const MAX_EXAMINED = 2000;
/** The highest date SQLite can hold. */
const LAST_DATE = 2n ** 63n - 1n;

/** The walk goes by date in seconds, by date in nanoseconds, then by ROWID; a place is `way:date:rowid`. */
const WAYS = ['seconds', 'nanoseconds', 'rowid'] as const;
type Way = (typeof WAYS)[number];

interface Place {
  readonly way: Way;
  readonly date: bigint;
  readonly rowid: number;
}

/** See ChatDb.revisions. A page costs what it looks at, however large the window is. */
export function revisionPage(
  statements: Statements,
  window: { sinceAt: number; fromRowid: number },
  after: RevisionPlace | undefined,
  limit: number,
): RevisionPage {
  const starts = startsOf(window);
  const found: (Revision & { place: RevisionPlace })[] = [];
  let left = MAX_EXAMINED;
  let place = after === undefined ? starts.seconds : parse(after);
  for (;;) {
    const rows = rowsPast(statements, place, left);
    for (const row of rows) {
      if (row.editedAt === null || (place.way === 'rowid' && isDated(row, starts))) continue;
      const { rowid, guid, editedAt } = row;
      const here = format(placeOf(row, place.way));
      found.push({ rowid, guid, editedAt, isFromMe: row.isFromMe === 1, place: here });
      if (found.length >= limit) return { found, examinedTo: here };
    }
    place = rows.length > 0 ? placeOf(rows.at(-1)!, place.way) : place;
    if (rows.length === left) return { found, examinedTo: format(place) };
    left -= rows.length;
    const next = WAYS[WAYS.indexOf(place.way) + 1];
    if (next === undefined) return { found, examinedTo: undefined };
    place = starts[next];
  }
}

/** The places before the first row of each way. */
function startsOf({ sinceAt, fromRowid }: { sinceAt: number; fromRowid: number }): Record<Way, Place> {
  const { sinceNs, sinceSeconds } = sinceParameters(sinceAt);
  const before = Number.MAX_SAFE_INTEGER;
  return {
    seconds: { way: 'seconds', date: BigInt(sinceSeconds) - 1n, rowid: before },
    nanoseconds: { way: 'nanoseconds', date: sinceNs - 1n, rowid: before },
    rowid: { way: 'rowid', date: 0n, rowid: fromRowid - 1 },
  };
}

function rowsPast(statements: Statements, { way, date, rowid }: Place, limit: number): RawRevision[] {
  if (way === 'rowid') return statements.revisionsFrom.all({ rowid, limit }) as RawRevision[];
  const lastDate = way === 'seconds' ? SECONDS_BELOW - 1 : LAST_DATE;
  return statements.revisionsDated.all({ date, rowid, lastDate, limit }) as RawRevision[];
}

function placeOf({ date, rowid }: RawRevision, way: Way): Place {
  return { way, date: way === 'rowid' ? 0n : BigInt(date!), rowid };
}

/** Whether the row was come upon by its date. */
function isDated({ date }: RawRevision, { seconds, nanoseconds }: Record<Way, Place>): boolean {
  if (date === null || !/^\d+$/.test(date)) return false;
  const at = BigInt(date);
  return at > nanoseconds.date || (at > seconds.date && at < SECONDS_BELOW);
}

function format({ way, date, rowid }: Place): RevisionPlace {
  return `${way}:${date}:${rowid}`;
}

function parse(place: RevisionPlace): Place {
  const [way, date, rowid] = place.split(':');
  return { way: way as Way, date: BigInt(date!), rowid: Number(rowid) };
}
