import { release, type } from 'node:os';
import type { StepResult } from '../backend/diagnosis/Step.ts';
import { PROBE_HEADER } from '../protocol/wire.ts';
import { printable } from '../util/printable.ts';
import { packageVersion } from '../util/version.ts';
import type { ConnectionFindings } from './examineConnection.ts';
import { receivedLines, sentLines } from './renderConnection.ts';

/** The findings as Markdown, to be sent to the backend's people: no secret, no handle, no text of a message. */
export function connectionReport(found: ConnectionFindings): string {
  const bad = found.steps.filter(({ status }) => status === 'fail' || status === 'warn');
  return `# The connection of edge-agent ${found.agentId}

| | |
|---|---|
${factRows(found)}

## Steps

| step | to | result | ms | |
|---|---|---|---|---|
${found.steps.map(stepRow).join('\n')}

${bad.length === 0 ? 'Every step went well.\n' : bad.map(section).join('\n')}
## To try it from elsewhere

With the secret in \`$EDGE_SECRET\`; \`${PROBE_HEADER}\` tells backends that know it that this is a look, and others ignore it.

${fenced('sh', commands(found))}`;
}

function factRows({ at, agentId, baseUrl, websocketUrl, network, agent }: ConnectionFindings): string {
  const rows = [
    ['begun (UTC)', at],
    ['agent id', agentId],
    ['backend', baseUrl],
    ['WebSocket', websocketUrl ?? 'switched off'],
    ['proxy and TLS', network ?? 'nothing special'],
    ['the agent', agent],
    ['edge-agent', packageVersion()],
    ['Node', `${process.version} on ${type()} ${release()}`],
  ] as const;
  return rows.map(([name, value]) => `| ${name} | ${cell(value)} |`).join('\n');
}

function stepRow({ step, target, status, ms, text }: StepResult): string {
  return `| ${step} | ${cell(target)} | ${status} | ${status === 'skipped' ? '' : ms} | ${cell(text)} |`;
}

function section({ step, target, status, text, sent, received, causes, ask, fix }: StepResult): string {
  const parts = [
    `## ${step} ${cell(target)}: ${status}`,
    cell(text),
    ...(sent ? ['Sent:', fenced('', sentLines(sent)).trimEnd()] : []),
    ...(received ? ['Came back:', fenced('', receivedLines(received)).trimEnd()] : []),
    ...(causes.length > 0
      ? ['Likely causes, the likeliest first:', causes.map((cause, at) => `${at + 1}. ${cell(cause)}`).join('\n')]
      : []),
    ...(ask.length > 0 ? ['Questions:', ask.map((question) => `- ${cell(question)}`).join('\n')] : []),
    ...(fix ? [`To do here: ${cell(fix)}`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function commands({ baseUrl, websocketUrl, agentId, syncBody }: ConnectionFindings): string[] {
  const secret = '"Authorization: Bearer $EDGE_SECRET"';
  const id = quoted(`X-Edge-Agent-Id: ${agentId}`);
  const probe = quoted(`${PROBE_HEADER}: doctor`);
  const sync = quoted(`${baseUrl.replace(/\/+$/, '')}/edge/sync`);
  const lines = [
    `curl -i ${sync} -H ${secret} -H ${id} -H ${probe} -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(syncBody))}`,
  ];
  if (websocketUrl === undefined) return lines;
  const url = quoted(`${websocketUrl}?edge_agent_id=${encodeURIComponent(agentId)}`);
  return [
    ...lines,
    `wscat -c ${url} -H ${secret} -H ${id} -H ${probe}`,
    // One -H of websocat takes every word that follows, so that each is tied to its value.
    `websocat -H=${secret} -H=${id} -H=${probe} ${url}`,
  ];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** An image in what a backend wrote would tell its server who reads the report. Within a word _ means nothing. */
const MARKUP = /[\\|<>`&*~![\]]|(?<!\w)_|_(?!\w)/g;

/** Text in which nothing is Markdown or HTML, on one line. */
function cell(text: string): string {
  return printable(text).replace(MARKUP, (char) => `&#${char.charCodeAt(0)};`);
}

/** A block that nothing in it can end. */
function fenced(language: string, lines: readonly string[]): string {
  const longest = Math.max(2, ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${lines.join('\n')}\n${fence}\n`;
}
