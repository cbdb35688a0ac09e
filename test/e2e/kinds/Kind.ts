import { byThread, type Entry, type Told } from './Ledger.ts';
import type { Stage } from './Stage.ts';

/** One kind of row: what happens on the Mac, and what the backend is to be told of it. */
export interface Scene {
  /** One after the other; before each the agent has read what the steps before it wrote. */
  readonly steps: readonly (() => void | Promise<void>)[];
  /** Asked at the end: messages by `thread_id`. */
  readonly posts?: () => readonly Entry[];
  /** With their thread in `thread`. */
  readonly events?: () => readonly Entry[];
}

export type Kind = (stage: Stage) => Scene;

/** Lets every kind happen, all at the same time. */
export async function play(stage: Stage, kinds: readonly Kind[]): Promise<Scene[]> {
  const scenes = kinds.map((kind) => kind(stage));
  const most = Math.max(...scenes.map(({ steps }) => steps.length));
  for (let step = 0; step < most; step++) {
    await Promise.all(scenes.map(({ steps }) => steps[step]?.()));
    await stage.beat();
  }
  return scenes;
}

/** What the backend is to be told in the end, in the form of `Ledger.told`. */
export function expected(stage: Stage, scenes: readonly Scene[]): Told {
  const posts = scenes.flatMap((scene) => scene.posts?.() ?? []);
  const events = scenes.flatMap((scene) => scene.events?.() ?? []);
  return byThread(
    posts.map((entry) => ({ thread: String(entry.thread_id), entry })),
    events.map(({ thread, ...entry }) => ({ thread: String(thread), entry })),
    (thread) => stage.titleOf(thread),
  );
}
