import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium, PageStage } from '../scripts/rig/PageStage.ts';
import { type BenchRow, quantile } from './BenchRow.ts';

const LOADS = Number(process.env.LOADS ?? 30);
/** Before them and not counted: the browser and the agent load what they need for the first time. */
const WARM_UP = 3;
/** A busy day, evenly: so many messages in ten minutes. */
const A_PART = 20;
const GOALS = { paintMs: 300, transferKb: 150 };

interface Load {
  /** From the start of the navigation until the state is in the page, and until something is painted. */
  data: number;
  paint: number;
  bytes: number;
}

/** How soon the status page shows its figures, and what it loads for that: the compiled agent, in a real Chromium. */
export async function run(): Promise<BenchRow[]> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('there is no Chromium on this machine');
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) throw new Error('the build failed');
  const dir = mkdtempSync(join(tmpdir(), 'edge-bench-'));
  const past = {
    messages: Array<number>(144).fill(A_PART),
    dead: Array<string>(20).fill('answered 422: {"error":"x"}'),
  };
  const stage = await PageStage.create({ dir, compiled: true, past });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    await stage.rig.startAgent();
    // With nothing in its cache, as on the first look; the cookie alone is there.
    const loads: Load[] = [];
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(await stage.link());
    for (let n = -WARM_UP; n < LOADS; n++) {
      await page.goto(stage.origin + stage.folder);
      await page.locator('.uplot canvas').waitFor();
      const load = (await page.evaluate(MEASURE)) as Load;
      if (n >= 0) loads.push(load);
    }
    const visible = loads.map(({ data, paint }) => Math.max(data, paint));
    const [p50, p99] = [quantile(visible, 0.5), quantile(visible, 0.99)];
    const kb = Math.max(...loads.map(({ bytes }) => bytes)) / 1000;
    return [
      {
        name: `first paint with data, ${LOADS} loads`,
        unit: 'ms',
        goal: `p50 < ${GOALS.paintMs}`,
        value: p50,
        p50,
        p99,
        ok: p50 < GOALS.paintMs,
      },
      { name: 'everything it loads', unit: 'kB', goal: `< ${GOALS.transferKb}`, value: kb, ok: kb < GOALS.transferKb },
    ];
  } finally {
    await browser.close();
    await stage.rig.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** With the headers. The stream that follows is none of it: it has not ended. */
const MEASURE = `({
  data: performance.getEntriesByName('shown')[0].startTime,
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
  bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .reduce((sum, { transferSize }) => sum + transferSize, 0),
})`;
