import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { OPTIONAL_COLUMNS } from '../../../src/chatdb/features.ts';

const SCHEMAS = join(import.meta.dirname, '../../../src/simulator/schemas');
/** The systems whose schema is at hand; 13 stands for 14 too. */
const SYSTEMS = [12, 13, 15, 26] as const;
/** SQLite drops no column that is UNIQUE. */
const UNIQUE = [
  'attachment.guid',
  'chat_handle_join.chat_id',
  'chat_handle_join.handle_id',
  'message_attachment_join.message_id',
  'message_attachment_join.attachment_id',
];
/** One of them has to stay: without both no message can be read. */
const BODIES = ['message.text', 'message.attributedBody'];
const TABLES = ['message', 'chat', 'handle', 'attachment', 'chat_message_join'];

/** A chat.db as some Mac may have it. */
export interface SchemaVariant {
  /** For test titles; repeats the run with SCHEMA_SEED. */
  readonly title: string;
  readonly macos: 12 | 13 | 15 | 26;
  /** `table.column` or `table` that is missing. */
  readonly without: readonly string[];
  /** `table.column` that no system has. */
  readonly extra: readonly string[];
}

/** The four schemas as they are, and each with random optional columns left out and unknown ones added. */
export function variants(): SchemaVariant[] {
  const seed = Number(process.env.SCHEMA_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const random = mulberry32(seed);
  return [
    ...SYSTEMS.map((macos) => ({ title: `macOS ${macos}`, macos, without: [], extra: [] })),
    ...SYSTEMS.map((macos) => ({ ...randomSubset(random), macos, title: `macOS ${macos}, columns of seed ${seed}` })),
  ];
}

function randomSubset(random: () => number): Pick<SchemaVariant, 'without' | 'extra'> {
  const share = random();
  const droppable = OPTIONAL_COLUMNS.filter((column) => !UNIQUE.includes(column));
  const without = droppable.filter(() => random() < share);
  const body = BODIES[Math.floor(random() * BODIES.length)]!;
  const extra = TABLES.filter(() => random() < 0.5).map((table, index) => `${table}.future_${index}`);
  return { without: without.filter((column) => column !== body), extra };
}

/** The same with these columns in it, if its system has them: what a test cannot do without. */
export function keeping(variant: SchemaVariant, ...columns: readonly string[]): SchemaVariant {
  return { ...variant, without: variant.without.filter((column) => !columns.includes(column)) };
}

/** The same for a simulated Mac: of the missing columns those that its system has. */
export function schemaOf({ macos, without, extra }: SchemaVariant): Pick<SchemaVariant, 'without' | 'extra'> {
  const db = new Database(':memory:');
  db.exec(schemaSql(macos));
  const isThere = (name: string) => {
    const [table, column] = name.split('.') as [string, string?];
    return column === undefined || columnsOf(db, table).includes(column);
  };
  const present = without.filter(isThere);
  db.close();
  return { without: present, extra };
}

/** Makes the file, with the schema in it and no rows, in WAL mode; the caller closes it. */
export function createVariant(path: string, variant: SchemaVariant): Database.Database {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('foreign_keys = OFF'); // as Messages has it; better-sqlite3 switches them on
  db.exec(schemaSql(variant.macos));
  for (const name of variant.without) {
    const [table, column] = name.split('.') as [string, string?];
    if (column === undefined) db.exec(`DROP TABLE IF EXISTS ${table}`);
    else dropColumn(db, table, column);
  }
  for (const name of variant.extra) db.exec(`ALTER TABLE ${name.replace('.', ' ADD COLUMN ')}`);
  return db;
}

function schemaSql(macos: number): string {
  return readFileSync(join(SCHEMAS, `macos${macos}.sql`), 'utf8');
}

function dropColumn(db: Database.Database, table: string, column: string): void {
  if (!columnsOf(db, table).includes(column)) return; // this system never had it
  const dependents = db
    .prepare(`SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL`)
    .all() as { type: string; name: string; sql: string }[];
  const names = new RegExp(`\\b${column}\\b`);
  for (const { type, name, sql } of dependents) {
    if (new RegExp(`\\b${table}\\b`).test(sql) && names.test(sql)) db.exec(`DROP ${type} ${name}`);
  }
  db.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
}

export function columnsOf(db: Database.Database, table: string): string[] {
  return (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
