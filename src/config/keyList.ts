import { z } from 'zod';
import { keyDocs } from './keys.ts';
import { configSchema } from './schema.ts';

/** One section or key of the schema, as the loader and the documents need it. */
export interface ListedKey {
  readonly path: readonly string[];
  readonly isSection: boolean;
  readonly doc: string;
  readonly expected: string;
  readonly example: string | undefined;
  readonly isPath: boolean;
  readonly required: boolean;
  /** Undefined for sections and for keys without one. */
  readonly default: unknown;
}

/** Every section and key of the schema, each section before what is in it. */
export const KEYS: readonly ListedKey[] = list(configSchema, []);

function list(type: z.core.$ZodType, path: readonly string[]): ListedKey[] {
  const docs = keyDocs.get(type as z.ZodType);
  if (!docs) throw new Error(`the schema does not document ${path.join('.')}`);
  const shape = shapeOf(type);
  const absent = (type as z.ZodType).safeParse(undefined);
  const key: ListedKey = {
    path,
    isSection: shape !== undefined,
    doc: docs.doc,
    expected: docs.expected,
    example: docs.example,
    isPath: docs.isPath ?? false,
    required: !shape && !absent.success,
    default: shape ? undefined : absent.data,
  };
  const inner = Object.entries(shape ?? {}).flatMap(([name, value]) => list(value, [...path, name]));
  return path.length === 0 ? inner : [key, ...inner];
}

function shapeOf(type: z.core.$ZodType): z.core.$ZodShape | undefined {
  if (!(type instanceof z.ZodPrefault)) return undefined;
  const inner = type.unwrap();
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}
