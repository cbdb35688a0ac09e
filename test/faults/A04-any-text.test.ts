import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { sendScript } from '../../src/messaging/sendScript.ts';
import { splitText } from '../../src/messaging/splitText.ts';
import { CANARY, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const TIMEOUT_SECONDS = 30;
const MAX_BUBBLE_CHARS = 10_000;
const HUNDRED_KILOBYTES = 100_000;

/** Each would leave `file` behind if anything but Messages read it. */
const commands = (file: string) => [
  `"\nend tell\ndo shell script "touch ${file}"\ntell application "Messages"\nset x to "`,
  `" & (do shell script "touch ${file}") & "`,
  `$(touch ${file})`,
  `\`touch ${file}\``,
  `'; touch ${file}; '`,
  `"; touch ${file}; "`,
  `| touch ${file} &`,
];

const TEXTS = [
  'says "hello", ‘hello’ and “hello”',
  'it\'s \\ and \\\\ and \\n and \\"',
  'one\ntwo\r\nthree\rfour\ttabbed',
  '👩‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ e\u0301',
  'שלום ‮abc‬ مرحبا \u2067x\u2069',
  'line\u2028paragraph\u2029next\u0085end',
  '-e beep',
  '--',
  '%s %n %00 &amp; <b> $HOME ~ * ?',
  'é \u0001\u0007\u001b[31mred\u001b[0m\u007f',
];

/** An osascript between the agent and the Mac's own that keeps the script it was handed on stdin. */
function keepScripts(run: FaultRun): string {
  const [kept, path] = [run.rig.path('scripts'), run.rig.path('keeping-osascript')];
  writeFileSync(path, `#!/bin/bash\ntee -a '${kept}' | '${run.rig.mac.osascriptPath}' "$@"\n`);
  chmodSync(path, 0o755);
  const config = parse(readFileSync(run.rig.path('config.yaml'), 'utf8'));
  config.sending.osascript_path = path;
  writeFileSync(run.rig.path('config.yaml'), stringify(config));
  return kept;
}

faultTest('A4 hands every text to Messages as it is, in one argument, and executes none', {
  commandsInOrder: true,
  rig: { config: { sending: { script_timeout_seconds: TIMEOUT_SECONDS, max_bubble_chars: MAX_BUBBLE_CHARS } } },
  setup: (run) => void keepScripts(run),
  async fault(run) {
    const { rig } = run;
    const { effects } = rig.mac.messages;
    const executed = rig.path('executed');
    const texts = [...TEXTS, ...commands(executed)].map((text) => `${text} ${CANARY}`);
    const known = effects.length;
    for (const text of texts) await run.ask(undefined, { text });
    await run.quiet(30_000);
    const bytes = (text: string) => Buffer.from(text).toString('hex');
    expect(effects.slice(known).map(({ text }) => bytes(text))).toEqual(texts.map(bytes));
    const ran = readFileSync(rig.path('scripts'), 'utf8');
    expect(ran).toBe(sendScript(TIMEOUT_SECONDS).repeat(effects.length));
    expect(existsSync(executed)).toBe(false);
    run.runs = texts.length;
  },
});

faultTest('A4 parts a text of 100 kB into bubbles that hold all of it, in order', {
  rig: { config: { sending: { max_bubble_chars: MAX_BUBBLE_CHARS } } },
  async fault(run) {
    const sentence = `He said "${CANARY} 👍🏽" and \\ went on. `;
    const text = sentence.repeat(Math.ceil(HUNDRED_KILOBYTES / Buffer.byteLength(sentence))).trim();
    const numbered = text.replaceAll(CANARY, (found, at: number) => `${found} ${at}`);
    const bubbles = splitText(numbered, MAX_BUBBLE_CHARS);
    expect(bubbles.join('').replaceAll(/\s/g, '')).toBe(numbered.replaceAll(/\s/g, ''));
    await run.ask(undefined, { text: numbered, bubbles });
  },
});

faultTest('A4 leaves out NUL, which no argument can carry, and says so; half a surrogate pair arrives as U+FFFD', {
  // The backend's own database keeps no half pair: it comes about in the line.
  setup({ front }) {
    front.upgrade = () => ({ down: (frame) => [frame.replaceAll('(half)', '\\ud83d')] });
  },
  async fault(run) {
    const mark = run.mark;
    await run.ask(undefined, { text: `${CANARY}\0 of two\0 halves`, bubbles: [`${CANARY} of two halves`] });
    await run.ask(undefined, { text: `${CANARY} (half) end`, bubbles: [`${CANARY} \ufffd end`] });
    await run.quiet(15_000);
    // Half a pair is no text that UTF-8, and so state.db, can hold.
    expect(run.logSince(mark).match(/EDGE_SEND_TEXT: send \d+: NUL/g)).toHaveLength(1);
    const id = await run.ask(undefined, { text: '\0\0', outcome: 'failed' });
    await run.quiet(15_000);
    expect((await run.rig.commandState(id)).error).toMatch(/^EDGE_SEND_TEXT: /);
  },
});
