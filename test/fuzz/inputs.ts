import fc from 'fast-check';

/** Values as JSON writes them, of the kinds that nobody expects. */
const HOSTILE = [
  ...['null', 'true', '0', '-1', '1.5', '1e308', '1e309', '-1e400', '9007199254740993', '4e12'],
  ...[
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    '"\\u202e"',
    '"__proto__"',
    '"constructor"',
    '"2026-01-01T00:00:00Z"',
    '"NaN"',
  ],
  ...['[]', '[null]', '[[]]', '{}', '{"length":1e9}', '{"then":1}', '{"toString":null,"valueOf":7}'],
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  `"${'x'.repeat(100_000)}"`,
  `"${'\\ud83d\\ude00'.repeat(5_000)}"`,
  `[${'0,'.repeat(10_000)}0]`,
  `{${Array.from({ length: 2_000 }, (_, n) => `"k${n}":{}`).join()}}`,
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
];
const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', '0', 'then'];

const jsonValue = fc.oneof({ arbitrary: fc.constantFrom(...HOSTILE), weight: 3 }, { arbitrary: fc.json(), weight: 1 });
const change = fc.record({
  at: fc.nat(),
  to: jsonValue,
  how: fc.constantFrom('set', 'set', 'drop', 'add'),
  key: fc.nat(),
});

/** JSON that was one of `samples`, with some members replaced, left out, or added, by what nobody expects. */
export function damagedJson(samples: readonly unknown[]): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...samples), fc.array(change, { maxLength: 4 })).map(([sample, changes]) => {
    let json = structuredClone({ root: sample }) as Record<string, unknown>;
    const raw: string[] = [];
    for (const { at, to, how, key } of changes) {
      const places = placesIn(json);
      const place = places[at % places.length]!;
      const [owner, name] = place as [Record<string, unknown>, string];
      if (how === 'drop' && owner !== json) delete owner[name];
      else if (how === 'add' && owner !== json) define(owner, KEYS[key % KEYS.length]!, mark(raw.push(to) - 1));
      else owner[name] = mark(raw.push(to) - 1);
    }
    json = json.root as Record<string, unknown>;
    return Buffer.from(JSON.stringify(json).replace(/"<raw (\d+)>"/g, (_, n) => raw[Number(n)]!));
  });
}

const mark = (n: number) => `<raw ${n}>`;

function define(owner: Record<string, unknown>, key: string, value: unknown): void {
  if (Array.isArray(owner)) owner.push(value);
  else Object.defineProperty(owner, key, { value, enumerable: true, configurable: true, writable: true });
}

function placesIn(owner: Record<string, unknown>): [Record<string, unknown>, string][] {
  return Object.entries(owner).flatMap(([key, value]) => [
    [owner, key],
    ...(typeof value === 'object' && value !== null ? placesIn(value as Record<string, unknown>) : []),
  ]) as [Record<string, unknown>, string][];
}

/** Bytes that were one of `samples`, or begin as one, with some cut out, written over, repeated, or put in from another. */
export function damagedBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const damage = fc.record({
    at: fc.nat(),
    drop: fc.oneof(fc.nat(3), fc.nat(300)),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.tuple(fc.nat(255), fc.nat(200)).map(([byte, times]) => new Uint8Array(times).fill(byte)),
      fc.constantFrom(
        [0xff, 0xff, 0xff, 0xff],
        [0x7f, 0xff, 0xff, 0xff],
        [0x80, 0, 0, 0],
        [0x82, 0xff, 0xff, 0xff, 0x7f],
      ),
    ),
    from: fc.option(fc.tuple(fc.nat(), fc.nat(), fc.nat(64)), { nil: undefined, freq: 3 }),
  });
  const mutated = fc
    .tuple(fc.nat(), fc.array(damage, { minLength: 1, maxLength: 6 }), fc.option(fc.nat(), { nil: undefined }))
    .map(([pick, damages, length]) => {
      let bytes = Buffer.from(samples[pick % samples.length]!);
      for (const { at, drop, put, from } of damages) {
        const place = at % (bytes.length + 1);
        const other = from && samples[from[0] % samples.length]!;
        const slice = other ? other.subarray(from[1] % other.length).subarray(0, from[2]) : Uint8Array.from(put);
        bytes = Buffer.concat([bytes.subarray(0, place), slice, bytes.subarray(place + drop)]);
      }
      return length === undefined ? bytes : bytes.subarray(0, length % (bytes.length + 1));
    });
  const random = fc
    .tuple(fc.nat(), fc.nat(20), fc.uint8Array({ maxLength: 400 }))
    .map(([pick, kept, tail]) => Buffer.concat([samples[pick % samples.length]!.subarray(0, kept), tail]));
  return fc.oneof({ arbitrary: mutated, weight: 4 }, { arbitrary: random, weight: 1 });
}
