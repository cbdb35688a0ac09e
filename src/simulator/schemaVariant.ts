/** What one chat.db has otherwise than its macOS makes it: columns vary between Macs of one build. */
export interface SchemaVariant {
  /** `message.date_edited` for a column, `attachment` for a whole table. */
  readonly without?: readonly string[];
  /** `message.sr_ck_record_id`, with its type if it is not TEXT: `message.sr_ck_sync_state INTEGER DEFAULT 0`. */
  readonly extra?: readonly string[];
}

const TABLE = /^CREATE TABLE (\w+) \(\n([\s\S]*?)\n\);$/gm;
const INDEX = /^CREATE INDEX \w+ ON (\w+)\((.+)\);$/gm;
const TRIGGER = /^CREATE TRIGGER [\s\S]*? ON (\w+) BEGIN\n([\s\S]*?)^END;$/gm;
/** `UNIQUE (id, service)`: a line of CREATE TABLE that is no column. */
const CONSTRAINT = /^(UNIQUE|PRIMARY KEY|CHECK)\b/;

/**
 * The statements of src/simulator/schemas with columns and tables left out or added. What counts on a column that is
 * gone goes with it: a constraint, a trigger; an index keeps its other columns.
 *
 * @throws Error when the schema has nothing of such a name
 */
export function varySchema(sql: string, { without = [], extra = [] }: SchemaVariant): string {
  const left = new Set(without);
  const toAdd = new Set(extra);
  const isGone = (table: string, column: string) => {
    const name = `${table}.${column}`;
    return without.some((gone) => gone === table || gone.toLowerCase() === name.toLowerCase());
  };
  const varied = sql
    .replace(TABLE, (statement, table: string, lines: string) => {
      if (left.delete(table)) return '';
      const kept = lines
        .split(/,\n/)
        .map((line) => line.trim())
        .filter((line) => {
          const names = CONSTRAINT.test(line)
            ? (/\((.*)\)/.exec(line)?.[1]?.match(/\w+/g) ?? [])
            : [line.split(' ')[0]!];
          const gone = names.filter((name) => isGone(table, name));
          if (!CONSTRAINT.test(line)) for (const name of gone) left.delete(`${table}.${name}`);
          return gone.length === 0;
        });
      const added = extra
        .filter((column) => column.startsWith(`${table}.`) && toAdd.delete(column))
        .map((column) => column.slice(table.length + 1))
        .map((column) => (column.includes(' ') ? column : `${column} TEXT`));
      const firstConstraint = kept.findIndex((line) => CONSTRAINT.test(line));
      kept.splice(firstConstraint < 0 ? kept.length : firstConstraint, 0, ...added);
      return statement.replace(lines, () => kept.map((line) => `    ${line}`).join(',\n'));
    })
    .replace(INDEX, (statement, table: string, list: string) => {
      const columns = list.split(', ').filter((column) => !isGone(table, column));
      return columns.length === 0 ? '' : statement.replace(`(${list})`, `(${columns.join(', ')})`);
    })
    .replace(TRIGGER, (statement) => (mentions(statement, without) ? '' : statement));
  const unknown = [...left, ...toAdd];
  if (unknown.length > 0) throw new Error(`the schema has no ${unknown.join(', ')}`);
  return varied;
}

function mentions(trigger: string, gone: readonly string[]): boolean {
  return gone.some((name) => {
    const [table, column] = name.split('.') as [string, string | undefined];
    return new RegExp(`\\b${table}\\b`).test(trigger) && (!column || new RegExp(`\\b${column}\\b`).test(trigger));
  });
}
