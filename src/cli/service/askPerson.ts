import { cancel, confirm, intro, isCancel, note, password, text } from '@clack/prompts';

/** The person pressed Ctrl-C, or said no. */
export class Cancelled extends Error {}

export type Check = (value: string) => string | undefined;

function answered<T>(value: T): Exclude<T, symbol> {
  if (!isCancel(value)) return value as Exclude<T, symbol>;
  cancel('Nothing more is done.');
  throw new Cancelled();
}

/** Of a terminal that does not tell its own and says 0, as over a serial line: each character would get a line of its own. */
const COLUMNS = 80;

/** Before anything is asked or shown. */
export function giveWidth(output: { columns: number }): void {
  if (output.columns === 0) output.columns = COLUMNS;
}

export function greet(title: string): void {
  intro(title);
}

/** `check` gives what is wrong with an answer. */
export async function askText(message: string, placeholder: string, check: Check): Promise<string> {
  return answered(await text({ message, placeholder, validate: (value) => check(value ?? '') })).trim();
}

/** Nothing of it is shown. */
export async function askSecret(message: string, check: Check): Promise<string> {
  return answered(await password({ message, mask: '•', validate: (value) => check(value ?? '') })).trim();
}

export async function askWhether(message: string): Promise<boolean> {
  return answered(await confirm({ message }));
}

export function show(title: string, body: string): void {
  note(body, title);
}
