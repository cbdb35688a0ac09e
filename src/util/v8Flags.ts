import { setFlagsFromString } from 'node:v8';

/**
 * For a daemon that lives for years on a small machine. Set before the rest is loaded, and by the benchmarks that run
 * parts of it in their own process.
 */
const FLAGS = [
  // A young generation that does not grow keeps some 8 MB out of memory, and costs a few more collections of a
  // millisecond when much happens at once.
  '--semi-space-growth-factor=1',
  // Where memory is plenty V8 lets the old one grow to four times what lives in it before it collects: 90 MB for 25.
  '--heap-growing-percent=50',
  // Pages on which little lives are emptied and given back with a collection: else the memory of a busy agent grows for
  // hours, by some 5 MB in two, though nothing more lives in it. It costs a tenth of the speed of a flood.
  '--optimize-for-size',
  // The middle one of V8's compilers keeps some 4 MB for good, and what is hot gets past it to the last one anyway.
  '--no-maglev',
  // Each thread that compiles keeps what it took from the system; one compiles fast enough, and saves a megabyte or two.
  '--concurrent-turbofan-max-threads=1',
];

for (const flag of FLAGS) setFlagsFromString(flag);
