import { Stage, until } from './Stage.ts';

const COMMANDS = 300;

export interface Latencies {
  ms: number[];
  missing: number;
}

/** From a command on the socket to the start of its osascript, one after the other. */
export async function commandToScript(
  who: 'agent' | 'floor',
  prepare: (stage: Stage) => void = () => {},
): Promise<Latencies> {
  const stage = await Stage.create({ synchronous: 'NORMAL', history: 0 });
  try {
    prepare(stage);
    if (who === 'agent') await stage.startAgent();
    else await stage.startFloor('runner');
    const ms: number[] = [];
    for (let n = 0; n < COMMANDS; n++) {
      const text = `command ${n}`;
      const sentAt = performance.timeOrigin + performance.now();
      const payload = { thread_id: `+155501000${10 + (n % 80)}`, text };
      stage.backend.push({ type: 'command', data: { command_id: `c${n}`, command_type: 'send_message_now', payload } });
      if (await until(() => stage.scriptStarts.has(text), 5000)) ms.push(stage.scriptStarts.get(text)! - sentAt);
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 20));
    }
    return { ms, missing: COMMANDS - ms.length };
  } finally {
    await stage.close();
  }
}
