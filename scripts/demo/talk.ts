import { clearLine, createInterface, moveCursor } from 'node:readline';
import type { Demo } from './Demo.ts';

/** A person types as the phone and sees the answers, until the input ends and the last answer is there. */
export async function talk(demo: Demo): Promise<boolean> {
  console.log('\nYou are Ann on her phone. Type a message; Ctrl-D ends. Try: what is the plan for tonight?\n');
  for await (const line of createInterface({ input: process.stdin })) {
    if (process.stdin.isTTY && process.stdout.isTTY) {
      // The terminal shows the line as it was typed; the narrator shows it again, with its time.
      moveCursor(process.stdout, 0, -1);
      clearLine(process.stdout, 0);
    }
    if (line.trim() !== '') demo.type('Ann', line);
  }
  return demo.answered();
}
