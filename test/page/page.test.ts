import { readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { NO_BROWSER, openPage, startStage } from './openPage.ts';

const ANN = '+15550100002';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE = `answered 422: <img src=x onerror="document.title='taken'"><script>document.title='taken'</script>"&#x27;`;
const PHONE = { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2, hasTouch: true };
const IS_LIGHT = `(() => {
  const { backgroundColor, color } = getComputedStyle(document.body);
  const red = (text) => Number(/\\d+/.exec(text)[0]);
  return red(backgroundColor) > red(color);
})()`;
const PAST = {
  messages: [3, 0, 5],
  dead: [HOSTILE, 'answered 413: {"error":"too large"}'],
  schedules: [
    { id: 'c-81', inMinutes: 90 },
    { id: '<b>c-97</b>', inMinutes: 2000, rrule: 'FREQ=DAILY' },
  ],
};

describe.skipIf(NO_BROWSER !== undefined)(`the status page in a browser${NO_BROWSER ? ` (${NO_BROWSER})` : ''}`, () => {
  it('shows how the agent is, what it did today and what waits, and follows what happens', async () => {
    const stage = await startStage({ past: PAST });
    const { page, complaints } = await openPage(stage);
    const text = (selector: string) => page.locator(selector).innerText();
    expect(await text('#verdict')).toBe('All is well');
    expect(await text('#link')).toContain('connected');
    expect(await text('#log')).toContain('WebSocket connected');
    const before = Number(await text('#sum-in'));

    stage.rig.mac.people.receive({ from: ANN, text: 'my private words' });
    await waitFor('the new lines of the log', async () => (await text('#log')).includes('…0002 handed over'));
    await waitFor('the message in the sum', async () => Number(await text('#sum-in')) === before + 1);
    await waitFor('its answer in the sum', async () => Number(await text('#sum-out')) > 0);

    const chatDb = stage.rig.mac.chatDbPath;
    renameSync(chatDb, `${chatDb}.away`);
    await waitFor('the condition', async () => (await text('#conditions')).includes('EDGE_CHATDB_MISSING'), 20_000);
    expect(await text('#conditions')).toContain('Do: ');
    expect(await text('#verdict')).not.toBe('All is well');
    renameSync(`${chatDb}.away`, chatDb);
    await waitFor('all to be well', async () => (await text('#verdict')) === 'All is well', 20_000);

    const whole = await page.content();
    expect(whole).not.toContain('my private words');
    expect(whole).not.toContain(ANN);
    expect(whole).not.toContain(stage.rig.secret);
    expect(complaints).toEqual([]);
  });

  it('retries dead letters and cancels a schedule, which asks once more', async () => {
    const stage = await startStage({ past: PAST });
    const { page, complaints } = await openPage(stage);
    const letters = page.locator('#dead-letters > li');
    await letters
      .first()
      .getByRole('button', { name: /^Retry/ })
      .click();
    await page.getByText('The message is handed over again.').waitFor();
    await waitFor('one letter less', async () => (await letters.count()) === 1);
    expect((await stage.rig.agent.status()).queues).toMatchObject({ dead_letters: 1 });

    const schedule = page.locator('#schedules > li').filter({ hasText: 'c-81' });
    const cancel = schedule.getByRole('button');
    await cancel.click();
    expect(await cancel.innerText()).toBe('Really cancel?');
    expect((await stage.rig.agent.status()).queues).toMatchObject({ schedules: 2 });
    await cancel.click();
    await page.getByText('Schedule c-81 is cancelled.').waitFor();
    await schedule.waitFor({ state: 'detached' });
    expect((await stage.rig.agent.status()).queues).toMatchObject({ schedules: 1 });
    expect(complaints).toEqual([]);
  });

  it('hands all dead letters over again at once', async () => {
    const stage = await startStage({ past: PAST });
    const { page } = await openPage(stage);
    await page.getByRole('button', { name: 'Retry all' }).click();
    await page.getByText('2 messages are handed over again.').waitFor();
    await page.getByText('None: the backend refused no message.').waitFor();
  });

  it('shows what others wrote as the text it is', async () => {
    const stage = await startStage({ past: PAST });
    const { page, complaints } = await openPage(stage);
    await page.locator('#dead-letters').getByText('<script>').waitFor();
    await page.locator('#schedules').getByText('<b>c-97</b>').waitFor();
    expect(await page.title()).toMatch(/^All is well/);
    expect(await page.locator('main img, main script, #schedules b').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('filters the log by level and text', async () => {
    const stage = await startStage();
    const { page } = await openPage(stage);
    const shown = () => page.locator('#log .line:visible').allInnerTexts();
    stage.rig.mac.people.receive({ from: ANN, text: 'hey' });
    await waitFor('the message in the log', async () => (await shown()).join().includes('handed over'));
    const all = (await shown()).length;

    await page.getByLabel('Filter').fill('HANDED OVER');
    expect(await shown()).toHaveLength(1);
    stage.rig.mac.people.receive({ from: ANN, text: 'hey' });
    await waitFor('the next one', async () => (await shown()).length === 2);
    expect(await page.locator('#log-count').innerText()).toMatch(/^2 of \d+ lines$/);

    await page.getByLabel('Filter').fill('');
    await page.getByLabel('Level').selectOption('warn');
    expect((await shown()).every((line) => /\b(warn|error)\b/.test(line))).toBe(true);
    expect((await shown()).length).toBeLessThan(all);
    stage.rig.cable.cut();
    await waitFor('a warning', async () => (await shown()).join().includes('WebSocket closed'));
  });

  it('leaves nobody out, light or dark, at a desk or on a phone: axe finds nothing, and nothing is too wide', async () => {
    const stage = await startStage({ past: PAST });
    stage.rig.mac.messages.automation = 'denied';
    await stage.rig.command('send_message_now', { thread_id: ANN, text: 'x' });
    await stage.rig.agent.ready(({ conditions }) => conditions.length > 0);
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const screen of [{}, PHONE]) {
        const { page, context } = await openPage(stage, {
          ...screen,
          colorScheme,
          bypassCSP: true, // for axe, which is put into the page
          reducedMotion: 'reduce',
        });
        await page.locator('summary').click();
        await page.evaluate(axe);
        const { violations } = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: object[] }[] };
        expect(violations.map(({ id, nodes }) => [id, nodes])).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
        expect(await page.evaluate(IS_LIGHT)).toBe(colorScheme === 'light');
        await context.close();
      }
    }
  });

  it('can be worked with by the keyboard alone', async () => {
    const stage = await startStage({ past: { dead: ['answered 400'], schedules: PAST.schedules.slice(0, 1) } });
    const { page } = await openPage(stage);
    const focused = () =>
      page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id");
    const reached: unknown[] = [];
    for (let n = 0; n < 8; n++) {
      await page.keyboard.press('Tab');
      reached.push(await focused());
    }
    expect(reached).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Retry message/), 'log-level', 'log-text', 'log']),
    );
    await page.getByRole('button', { name: 'Cancel schedule c-81' }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.getByText('Schedule c-81 is cancelled.').waitFor();
  });

  it('says when the agent is gone and when it came back with another key, and goes on by itself', async () => {
    const stage = await startStage({ past: PAST });
    const { page, context } = await openPage(stage);
    await stage.rig.agent.kill('SIGTERM');
    await page.getByText('The agent does not answer').waitFor();
    expect(await page.locator('#trouble').innerText()).toContain('edge-agent status');
    expect(await page.getByRole('button', { name: 'Retry all' }).isDisabled()).toBe(true);

    await stage.rig.startAgent();
    await page.getByText('This page is locked').waitFor();
    expect(await page.locator('#trouble').innerText()).toContain('edge-agent open');

    const other = await context.newPage();
    await other.goto(await stage.link());
    await waitFor('the first tab to go on', async () => (await page.locator('#trouble').innerText()) === '');
    expect(await page.getByRole('button', { name: 'Retry all' }).isDisabled()).toBe(false);
  });
});
