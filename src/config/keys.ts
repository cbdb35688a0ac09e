import { z } from 'zod';

/** What the example file, the table in docs/CONFIGURATION.md and the loader know of a key beyond its type. */
export interface KeyDoc {
  /** What the key does, one or two sentences. */
  readonly doc: string;
  /** What a value must be, as it stands after "expected" in an error. */
  readonly expected: string;
  /** Shown in the example file where there is no default. */
  readonly example?: string;
  /** A path: `~` is expanded, and a relative one is taken from the folder of the file. */
  readonly isPath?: true;
}

/** The docs of every key and section, by its schema. */
export const keyDocs = z.registry<KeyDoc>();

export function section<S extends z.ZodRawShape>(doc: string, shape: S) {
  const expected = 'a section: keys with values, indented below it';
  const object = z.strictObject(shape, {
    error: (issue) => (issue.code === 'invalid_type' ? expected : undefined),
  });
  // A section that is left out is an empty one, so that what is missing in it is named key by key.
  return object.prefault({} as never).register(keyDocs, { doc, expected });
}

export function wholeNumber(o: { doc: string; min: number; max: number; default: number; unit?: string }) {
  const expected = `a whole number from ${o.min} to ${o.max}${o.unit ? ` (${o.unit})` : ''}`;
  return z
    .int({ error: expected })
    .min(o.min, { error: expected })
    .max(o.max, { error: expected })
    .default(o.default)
    .register(keyDocs, { doc: o.doc, expected });
}

export function flag(o: { doc: string; default: boolean }) {
  const expected = 'true or false';
  return z.boolean({ error: expected }).default(o.default).register(keyDocs, { doc: o.doc, expected });
}

export function choice<const V extends readonly string[]>(o: { doc: string; values: V; default: V[number] }) {
  const expected = `one of ${o.values.join(', ')}`;
  return z
    .enum(o.values, { error: expected })
    .default(o.default as never)
    .register(keyDocs, { doc: o.doc, expected });
}

/** A word, or a whole number in the unit given. */
export function choiceOrNumber<const V extends readonly string[]>(o: {
  doc: string;
  values: V;
  min: number;
  max: number;
  unit: string;
  default: V[number];
}) {
  const expected = `one of ${o.values.join(', ')}, or a whole number from ${o.min} to ${o.max} (${o.unit})`;
  return z
    .union([z.enum(o.values), z.int().min(o.min, { error: expected }).max(o.max, { error: expected })], {
      error: expected,
    })
    .default(o.default as never)
    .register(keyDocs, { doc: o.doc, expected });
}

const PATH = 'a path';
/** Control characters: no file call takes NUL, and scripts that list files by line would take a newline for two. */
const pathType = z
  .string({ error: PATH })
  .min(1, { error: PATH })
  .regex(/^\P{Cc}*$/u, { error: 'a path without control characters' });

export function path(o: { doc: string; default: string }) {
  return pathType.default(o.default).register(keyDocs, { doc: o.doc, expected: PATH, isPath: true });
}

export function optionalPath(o: { doc: string; example: string }) {
  return pathType.optional().register(keyDocs, { doc: o.doc, expected: PATH, example: o.example, isPath: true });
}

/** The path part of a URL. */
export function urlPath(o: { doc: string; default: string }) {
  const expected = 'a path that begins with /, without query and fragment';
  return z
    .string({ error: expected })
    .regex(/^\/[^\s?#\\]*$/, { error: expected })
    .default(o.default)
    .register(keyDocs, { doc: o.doc, expected });
}

/** A URL of one of the schemes, without user name, query and fragment: what is appended must stay what it is. */
export function urlType(schemes: readonly string[], expected: string) {
  return z.string({ error: expected }).refine(
    (text) => {
      const url = URL.parse(text);
      // The parser forgives what would not survive appending a path: an empty query, spaces around, backslashes.
      if (!url || !schemes.includes(url.protocol) || !/^[a-z]+:\/\/[^\s?#@\\]+$/i.test(text)) return false;
      return !url.username && !url.password && !url.search && !url.hash;
    },
    { error: expected },
  );
}

/** Public keys as curl's --pinnedpubkey has them, without `sha256//`. */
export function pinList(o: { doc: string }) {
  const expected = 'a list of at most 10 base64 SHA-256 digests of public keys (44 characters that end in =)';
  return z
    .array(z.string({ error: expected }).regex(/^[A-Za-z0-9+/]{43}=$/, { error: expected }), { error: expected })
    .max(10, { error: expected })
    .default([])
    .register(keyDocs, { doc: o.doc, expected });
}
