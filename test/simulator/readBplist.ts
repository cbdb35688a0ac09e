/** Reads what the simulated Messages writes: whole, valid binary property lists. Bytes stay bytes, UIDs become { UID }. */
export function readBplist(bytes: Uint8Array): unknown {
  const buffer = Buffer.from(bytes);
  if (buffer.toString('latin1', 0, 8) !== 'bplist00') throw new Error('no binary property list');
  const trailer = buffer.length - 32;
  const [offsetSize, idSize] = [buffer[trailer + 6]!, buffer[trailer + 7]!];
  const [top, table] = [Number(buffer.readBigUInt64BE(trailer + 16)), Number(buffer.readBigUInt64BE(trailer + 24))];

  const unsigned = (at: number, size: number) => Number(BigInt(`0x${buffer.toString('hex', at, at + size)}`));

  function object(id: number): unknown {
    const at = unsigned(table + id * offsetSize, offsetSize);
    const [kind, low] = [buffer[at]! >> 4, buffer[at]! & 15];
    if (kind === 0) return { 0: null, 8: false, 9: true }[low];
    if (kind === 1) return unsigned(at + 1, 2 ** low);
    if (kind === 2) return buffer.readDoubleBE(at + 1);
    if (kind === 8) return { UID: unsigned(at + 1, low + 1) };
    const isLong = low === 15;
    const size = isLong ? 2 ** (buffer[at + 1]! & 15) : 0;
    const length = isLong ? unsigned(at + 2, size) : low;
    const start = isLong ? at + 2 + size : at + 1;
    const child = (index: number) => object(unsigned(start + index * idSize, idSize));
    if (kind === 4) return buffer.subarray(start, start + length);
    if (kind === 5) return buffer.toString('latin1', start, start + length);
    if (kind === 6)
      return Buffer.from(buffer.subarray(start, start + 2 * length))
        .swap16()
        .toString('utf16le');
    if (kind === 10) return Array.from({ length }, (_, index) => child(index));
    if (kind === 13) return Object.fromEntries(Array.from({ length }, (_, n) => [child(n), child(length + n)]));
    throw new Error(`kind ${kind}`);
  }

  return object(top);
}

/** What an NSKeyedArchiver's list holds: classes are dropped, dictionaries, arrays and URLs become plain. */
export function readKeyedArchive(bytes: Uint8Array): unknown {
  const archive = readBplist(bytes) as { $objects: unknown[]; $top: { root: unknown }; $archiver: string };
  if (archive.$archiver !== 'NSKeyedArchiver') throw new Error(`made by ${archive.$archiver}`);

  function plain(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if ('UID' in value) return value.UID === 0 ? null : plain(archive.$objects[value.UID as number]);
    if (Array.isArray(value)) return value.map(plain);
    const { $class: _, ...fields } = value as Record<string, unknown>;
    if ('NS.relative' in fields) return plain(fields['NS.relative']);
    if ('NS.keys' in fields) {
      const [keys, values] = [plain(fields['NS.keys']) as string[], plain(fields['NS.objects']) as unknown[]];
      return Object.fromEntries(keys.map((key, index) => [key, values[index]]));
    }
    if ('NS.objects' in fields) return plain(fields['NS.objects']);
    return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, plain(field)]));
  }

  return plain(archive.$top.root);
}
