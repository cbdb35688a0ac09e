import { describe, expect, it } from 'vitest';
import { PageAccess, TOKEN_MS } from '../../src/ops/page/PageAccess.ts';
import { FakeClock } from '../support/FakeClock.ts';

function access() {
  const clock = new FakeClock();
  return { clock, page: new PageAccess({ clock, port: 8377, folder: 'secret-folder' }) };
}
const cookieOf = (set: string | undefined) => ({ cookie: `a=b; ${set!.split(';')[0]}; c=d` });

describe('the key to the status page', () => {
  it('opens once, and the cookie for it as long as the agent runs', async () => {
    const { clock, page } = access();
    const token = page.newToken();
    const set = page.redeem(token);
    expect(set).toMatch(/; Path=\/secret-folder\/; HttpOnly; SameSite=Strict$/);
    expect(page.redeem(token)).toBeUndefined();
    await clock.advance(TOKEN_MS * 1000);
    expect(page.admits(cookieOf(set))).toBe(true);
    expect(access().page.admits(cookieOf(set))).toBe(false);
  });

  it('counts beside a cookie of the same name that another server of this machine has set', () => {
    const { page } = access();
    const { cookie } = cookieOf(page.redeem(page.newToken()));
    expect(page.admits({ cookie: `edge-agent-8377=theirs; ${cookie}` })).toBe(true);
  });

  it('is good for five minutes', async () => {
    const { clock, page } = access();
    const [early, late] = [page.newToken(), page.newToken()];
    await clock.advance(TOKEN_MS - 10);
    expect(page.redeem(early)).toBeDefined();
    await clock.advance(20);
    expect(page.redeem(late)).toBeUndefined();
  });

  it('is one of eight, of which the oldest gives way', () => {
    const { page } = access();
    const tokens = Array.from({ length: 9 }, () => page.newToken());
    expect(tokens.map((token) => page.redeem(token) !== undefined)).toEqual([false, ...Array(8).fill(true)]);
    expect(new Set(tokens).size).toBe(9);
  });

  it.each(['', 'edge-agent-8377=', 'edge-agent-8377', 'edge-agent-1=x'])('is not the cookie %j', (cookie) => {
    expect(access().page.admits({ cookie })).toBe(false);
  });
});
