import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PageStage } from '../../scripts/rig/PageStage.ts';
import { MAX_PAGES } from '../../src/ops/page/PageFeed.ts';
import { waitFor } from '../support/waitFor.ts';
import { startStage } from './openPage.ts';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Unlike fetch it sends any Host and Origin. */
function ask(stage: PageStage, path: string, headers: Record<string, string> = {}, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port: stage.port, path, method: body ? 'POST' : 'GET', headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
      },
    );
    call.on('error', reject);
    call.end(body && JSON.stringify(body));
  });
}

describe('the status page’s server', () => {
  it('shows itself to who has the key, once for each link, and to nobody under another name', async () => {
    const stage = await startStage({ past: { dead: ['</pre><script>"&'], schedules: [{ id: 'c-1', inMinutes: 60 }] } });
    const locked = await ask(stage, '/');
    expect(locked.status).toBe(401);
    expect(locked.body).toContain('edge-agent open');
    expect(locked.body).not.toContain('c-1');
    expect((await ask(stage, `${stage.folder}api/state`)).status).toBe(401);
    expect((await ask(stage, '/api/state')).status).toBe(404);
    expect((await ask(stage, `${stage.folder}api/stream`)).status).toBe(401);
    expect((await ask(stage, '/open?token=')).status).toBe(401);
    expect((await ask(stage, stage.folder, { cookie: `edge-agent-${stage.port}=${'A'.repeat(43)}` })).status).toBe(401);

    const link = await stage.link();
    const path = link.slice(stage.origin.length);
    expect(path).toMatch(/^\/open\?token=[\w-]{43}$/);
    const looked = await fetch(link, { method: 'HEAD', redirect: 'manual' }); // a preview of the link
    expect([looked.status, looked.headers.get('set-cookie')]).toEqual([200, null]);
    const opened = await ask(stage, path);
    expect(opened).toMatchObject({ status: 303 });
    const { folder } = stage;
    expect(opened.headers.location).toBe(folder);
    const [set] = opened.headers['set-cookie'] as string[];
    // What another server of this machine gets from a browser: nothing, but at a path that it cannot know.
    expect(set).toMatch(new RegExp(`; Path=${folder}; HttpOnly; SameSite=Strict$`));
    expect(folder).toMatch(/^\/[\w-]{43}\/$/);
    expect((await ask(stage, path)).status).toBe(401);

    const cookie = set!.split(';')[0]!;
    expect((await ask(stage, '/', { cookie })).status).toBe(401);
    const page = await ask(stage, folder, { cookie });
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'none'; script-src 'self'; style-src 'self'; /),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(page.body).not.toMatch(/<script>|<\/pre><script|style=|\son\w+=/);
    expect(page.body).toContain('&#60;/pre&#62;&#60;script&#62;');

    for (const host of [
      'evil.example.com',
      `evil.example.com:${stage.port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      'localhost',
    ]) {
      const answers = await Promise.all([
        ask(stage, folder, { cookie, host }),
        ask(stage, `${folder}api/state`, { cookie, host }),
      ]);
      for (const { status, body } of answers) {
        expect.soft(status, host).toBeGreaterThanOrEqual(400);
        expect.soft(body, host).not.toContain('c-1');
      }
    }
    expect((await ask(stage, `${folder}api/state`, { cookie, host: `localhost:${stage.port}` })).status).toBe(200);
    for (const path of ['/health', '/metrics']) expect((await ask(stage, path)).status).toBe(200);
  });

  it('changes nothing for anybody but the page itself', async () => {
    const stage = await startStage({ past: { dead: ['answered 400'], schedules: [{ id: 'c-1', inMinutes: 60 }] } });
    const cookie = await stage.cookie();
    const good = { cookie, origin: stage.origin, 'content-type': 'application/json' };
    const { cookie: _cookie, ...keyless } = good;
    const { origin: _origin, ...nameless } = good;
    const refused: [Record<string, string>, number][] = [
      [keyless, 401],
      [nameless, 403],
      [{ ...good, origin: 'http://evil.example.com' }, 403],
      [{ ...good, origin: `http://127.0.0.1:${stage.port + 1}` }, 403],
      [{ ...good, origin: 'null' }, 403],
      [{ ...good, 'content-type': 'text/plain' }, 403],
      [{ ...good, 'sec-fetch-site': 'same-site' }, 403],
      [{ ...good, host: 'evil.example.com', origin: 'http://evil.example.com' }, 404],
    ];
    for (const [headers, status] of refused) {
      const answers = await Promise.all([
        ask(stage, `${stage.folder}api/retry`, headers, { all: true }),
        ask(stage, `${stage.folder}api/cancel`, headers, { schedule_id: 'c-1' }),
      ]);
      for (const answer of answers) {
        const expected = status === 404 ? [404, 421] : [status];
        expect.soft(expected, JSON.stringify(headers)).toContain(answer.status);
      }
    }
    expect((await stage.rig.agent.status()).queues).toMatchObject({ dead_letters: 1, schedules: 1 });
    expect((await ask(stage, '/send', good, { thread_id: '+15550100002', text: 'x' })).status).toBe(404);
    const done = await ask(stage, `${stage.folder}api/cancel`, good, { schedule_id: 'c-1' });
    expect(done).toMatchObject({ status: 200, body: '{"found":"pending"}' });
  });

  it('streams state and log to a few pages at once, without a text or a whole handle at level debug', async () => {
    const stage = await startStage({ config: { logging: { level: 'debug' } } });
    const cookie = await stage.cookie();
    const texts: string[] = [];
    const streams = Array.from({ length: MAX_PAGES }, (_, index) => {
      const headers = { cookie };
      const call = request(
        { host: '127.0.0.1', port: stage.port, path: `${stage.folder}api/stream`, headers },
        (response) => {
          texts[index] = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            texts[index] += chunk;
          });
        },
      );
      call.on('error', () => {}); // it is destroyed below
      call.end();
      onTestFinished(() => void call.destroy());
      return call;
    });
    await waitFor('all streams', () => streams.every((_, index) => texts[index]?.includes('event: state')));
    expect((await ask(stage, `${stage.folder}api/stream`, { cookie })).status).toBe(503);
    stage.rig.mac.people.receive({ from: '+15550100002', text: 'my private words' });
    await waitFor('the message', () => texts.every((text) => text.includes('…0002 handed over')));
    expect(texts.join()).not.toMatch(/my private words|5550100002/);
    expect(stage.rig.agent.log).toContain('my private words');

    streams[0]!.destroy();
    await waitFor('room for another', async () => {
      const call = await fetch(`${stage.origin}${stage.folder}api/stream`, { headers: { cookie } });
      void call.body?.cancel();
      return call.status === 200;
    });
  });
});
