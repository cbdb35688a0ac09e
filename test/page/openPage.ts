import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';
import { findChromium, PageStage } from '../../scripts/rig/PageStage.ts';
import { tempDir } from '../support/tempDir.ts';

const executablePath = findChromium();
/** Why the tests in a browser are skipped; undefined where they are not. */
export const NO_BROWSER = executablePath ? undefined : 'there is no Chromium on this machine';

/** The agent with its page, closed when the test is over. */
export async function startStage(options: Partial<Parameters<typeof PageStage.create>[0]> = {}): Promise<PageStage> {
  const stage = await PageStage.create({ dir: tempDir(), ...options });
  onTestFinished(() => stage.rig.close());
  await stage.rig.startAgent();
  return stage;
}

export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** What the browser refused or complained of: violations of the CSP, errors, warnings. */
  complaints: string[];
}

let browser: Promise<Browser> | undefined;
afterAll(async () => (await browser)?.close());

/** The status page in a profile of its own, once it shows its chart and its log. */
export async function openPage(stage: PageStage, options: BrowserContextOptions = {}): Promise<OpenPage> {
  // The tests may run as root, for whom Chromium has no sandbox.
  browser ??= chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  const context = await (await browser).newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  await page.exposeFunction('complain', (text: string) => void complaints.push(text));
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    complain(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));`);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()));
  await page.goto(await stage.link());
  await page.locator('.uplot canvas').waitFor();
  await page.locator('#log .line').first().waitFor();
  return { page, context, complaints };
}
