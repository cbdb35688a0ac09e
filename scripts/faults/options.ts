import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { closest, distance } from 'fastest-levenshtein';
import { settings } from '../../test/faults/harness/settings.ts';
import { CASES, casesNamed } from './cases.ts';

export interface Options {
  /** Ids of CASES, each once, in its order. */
  readonly cases: readonly string[];
  /** What the tests are told by their environment: see test/faults/harness/settings.ts. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the figures go; undefined: to the folder of results. */
  readonly json: string | undefined;
  /** Whether a goal of the event loop that is missed is a failure. */
  readonly isStrict: boolean;
}

/** Nothing is run; `exitCode` is 2 where the command line is why, 0 where it only asked for help. All is said already. */
export class EarlyEnd extends Error {
  readonly exitCode: number;

  /** Says `why` on stderr, where nobody has said it yet. */
  constructor(exitCode: number, why?: string) {
    super(why ?? 'nothing was run');
    this.exitCode = exitCode;
    if (why !== undefined) console.error(`test:faults: ${why}`);
  }
}

interface Values {
  kills?: number;
  runs?: number;
  hours?: number;
  seed?: number;
  patience?: number;
  long?: true;
  shrink?: true;
  json?: string;
  check?: true;
}

const EX_USAGE = 2;

/** Whom an option is for that not every case heeds: a case that passed without it would seem to have passed with it. */
const HEEDED_BY = { kills: ['C9', 'D6'], runs: ['whole'], hours: ['O10'], shrink: ['whole'] } as const;

/** @throws EarlyEnd */
export function readOptions(args: readonly string[]): Options {
  const program = new Command('npm run test:faults --')
    .usage('[CASE…] [options]')
    .showHelpAfterError('`npm run test:faults -- --help` says what it takes, docs/GUARANTEES.md what each case is.')
    .argument('[case...]', 'C9: that case; C: all of that letter; whole: everything at random. Default: all', takeCases)
    .option('--kills <n>', 'how often C9 and D6 kill. Default: as in their short forms', count)
    .option('--runs <n>', 'how many seeds the test of the whole takes, from --seed on. Default: 2', count)
    .option(
      '--hours <n>',
      'how long the soak, O10, is measured, half an hour of warming up before it. Default: 12 s of faults',
      amount,
    )
    .option('--seed <n>', `decides over everything that is left to chance. Default: ${settings.seed}`, count)
    .option(
      '--patience <n>',
      `how many times longer everything may take; ${availableParallelism()} processors here. Default: ${settings.patience}`,
      amount,
    )
    .option(
      '--long',
      'the long form of every case: the whole grid, the whole day; those of C9, O10 and whole are --kills, --hours and --runs. Default: the short one of `npm test`',
    )
    .option('--shrink', 'looks for the shortest plan with which the test of the whole still fails')
    .option(
      '--json <file>',
      'where the figures go. Default: scripts/faults/results/faults.json, of some cases or an interrupted run some.json',
    )
    .option('--check', 'a goal of the event loop that is missed is a failure')
    .exitOverride();
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new EarlyEnd(error.exitCode === 0 ? 0 : EX_USAGE);
    throw error;
  }
  // Where no case is named, commander hands on an empty list without asking takeCases.
  const [named] = program.processedArgs as [Set<string> | []];
  const chosen = named instanceof Set ? named : new Set(Object.keys(CASES));
  const values = program.opts<Values>();
  for (const [option, ids] of Object.entries(HEEDED_BY)) {
    if (values[option as keyof Values] === undefined || ids.some((id) => chosen.has(id))) continue;
    const which = ids.length > 1 ? 'which are' : 'which is';
    throw new EarlyEnd(EX_USAGE, `--${option} is for ${ids.join(' and ')}, ${which} not among the cases named`);
  }
  const { kills, runs, hours, seed, patience, long, shrink } = values;
  const told = {
    FAULTS_KILLS: kills,
    FAULTS_RUNS: runs,
    FAULTS_HOURS: hours,
    FAULTS_SEED: seed,
    FAULTS_PATIENCE: patience,
    FAULTS_LONG: long && 1,
    FAULTS_SHRINK: shrink && 1,
  };
  return {
    cases: Object.keys(CASES).filter((id) => chosen.has(id)),
    env: Object.fromEntries(
      Object.entries(told).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
    json: values.json,
    isStrict: values.check === true,
  };
}

function takeCases(word: string, before: Set<string> | undefined): Set<string> {
  const found = casesNamed(word);
  if (found.length > 0) return new Set([...(before ?? []), ...found]);
  // `npm run test:faults C9 --kills 5`: npm keeps --kills for itself, and hands on the 5.
  if (/^\d/.test(word))
    throw new InvalidArgumentError('A number alone is no case; npm hands options on only after --.');
  const typed = /^[a-z]\d/.test(word) ? word.toUpperCase() : word;
  const meant = closest(typed, Object.keys(CASES));
  const isNear = distance(typed, meant) <= Math.max(1, typed.length / 3);
  throw new InvalidArgumentError(
    `There is no such case in scripts/faults/cases.ts.${isNear ? ` Did you mean ${meant}?` : ''}`,
  );
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}

function amount(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError('It must be a number above 0.');
}
