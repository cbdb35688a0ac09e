import { STATUS_CODES } from 'node:http';
import type { Received, Sent, StepResult } from '../backend/diagnosis/Step.ts';
import { printable } from '../util/printable.ts';

const INDENT = '      ';

/** The steps, a line each, and below those that are not well what there is to know. For a terminal. */
export function renderConnection(steps: readonly StepResult[]): string {
  return steps
    .flatMap(stepLines)
    .map((line) => `${INDENT}${line}\n`)
    .join('');
}

function stepLines(result: StepResult): string[] {
  const { step, status, target, text, ms, sent, received, causes, ask, fix } = result;
  const took = status === 'skipped' ? '' : ` (${ms} ms)`;
  const head = `${status.padEnd(7)}  ${step.padEnd(7)}  ${target}: ${printable(text)}${took}`;
  if (status === 'pass' || status === 'skipped') return [head];
  const more = [
    ...(sent ? ['sent:', ...indented(sentLines(sent))] : []),
    ...(received ? ['came back:', ...indented(receivedLines(received))] : []),
    ...(causes.length > 0 ? ['likely causes:', ...indented(causes.map((cause, at) => `${at + 1}. ${cause}`))] : []),
    ...(ask.length > 0 ? ['ask the backend’s people:', ...indented(ask.map((question) => `- ${question}`))] : []),
    ...(fix ? [`do: ${fix}`] : []),
  ];
  return [head, ...more.map((line) => `         ${line}`)];
}

/** A request as it went out, a header a line. */
export function sentLines({ request, headers }: Sent): string[] {
  return [request, ...headerLines(headers)].map(printable);
}

/** What came back, a header a line, the beginning of the body last. */
export function receivedLines({ status, headers = {}, body, close, error }: Received): string[] {
  return [
    ...(status === undefined ? [] : [`${status} ${STATUS_CODES[status] ?? ''}`.trim()]),
    ...headerLines(headers),
    ...(body ? [`body: ${body}`] : []),
    ...(close ? [`close code ${close.code}, reason: ${close.reason || '(none)'}`] : []),
    ...(error ? [`${error.code}: ${error.detail}`] : []),
  ].map(printable);
}

const headerLines = (headers: Readonly<Record<string, string>>) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
