import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { MacosVersion } from './ChatDbFile.ts';
import { ControlSession } from './ControlSession.ts';
import type { ControlLine } from './control.ts';
import { SimulatedMac } from './SimulatedMac.ts';

const USAGE = `A simulated Mac, told what happens by lines of JSON on stdin; docs/SIMULATOR.md lists them.
Usage: node src/simulator/main.ts --dir DIR [--macos 12|13|15|26] [--synchronous NORMAL|FULL]
         [--delays '{"joinMs":3,…}'] [--schema '{"without":["message.date_edited"]}'] [--effects FILE]`;

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    macos: { type: 'string', default: '26' },
    synchronous: { type: 'string', default: 'NORMAL' },
    delays: { type: 'string', default: '{}' },
    schema: { type: 'string', default: '{}' },
    effects: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const isKnown = ['12', '13', '15', '26'].includes(values.macos) && ['NORMAL', 'FULL'].includes(values.synchronous);
if (values.help || values.dir === undefined || !isKnown) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 64);
}

const mac = await SimulatedMac.create({
  dir: values.dir,
  macos: Number(values.macos) as MacosVersion,
  synchronous: values.synchronous as 'NORMAL' | 'FULL',
  delays: JSON.parse(values.delays),
  schema: JSON.parse(values.schema),
  ...(values.effects !== undefined && { effectsFile: values.effects }),
});
const write = (line: ControlLine) => process.stdout.write(`${JSON.stringify(line)}\n`);
const input = createInterface({ input: process.stdin });
const session = new ControlSession({ mac, write, close: () => mac.close().then(() => input.close()) });
session.start();
input.on('line', (line) => void session.line(line));
// Whoever started it is gone: no Mac is left behind. Closing twice does nothing.
input.on('close', () => void mac.close());
