import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { failed, type RouteReply, type RouteRequest, type Routes } from '../routes.ts';
import { ASSET_PATHS, asset, indexHtml } from './assets.ts';
import type { PageAccess } from './PageAccess.ts';
import type { PageFeed } from './PageFeed.ts';

type Handler = Routes[string];

/** What the page does, and the routes of the control socket that do it. */
const ACTIONS: Readonly<Record<string, string>> = {
  retry: 'POST /retry',
  drop: 'POST /drop',
  cancel: 'POST /schedule/cancel',
};

const HEADERS = {
  // uPlot sets its styles through the CSSOM, which style-src allows.
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
const KEYLESS = 'This page shows its figures to whoever has its key.';
const HTML = 'text/html; charset=utf-8';

export interface PageRoutesOptions {
  readonly access: PageAccess;
  readonly feed: PageFeed;
  readonly state: () => object;
  /** Those of the control socket. */
  readonly control: Routes;
}

/**
 * The status page and what it asks for. Everything but its looks lies in a folder that cannot be
 * guessed, and needs the cookie that /open gives for it; whatever changes
 * something must also come from the page itself.
 */
export function pageRoutes({ access, feed, state, control }: PageRoutesOptions): Routes {
  const { folder } = access;
  const routes: Record<string, Handler> = {
    'GET /open': ({ query }) => {
      const cookie = access.redeem(query.get('token') ?? '');
      if (cookie === undefined) return locked('This link was used already, or it is older than five minutes.');
      return { status: 303, body: '', headers: { 'set-cookie': cookie, location: access.folder } };
    },
    // What only looks at a link, as a preview of it does, does not use it up.
    'HEAD /open': () => ({ body: '', contentType: HTML }),
    'GET /': () => locked(KEYLESS),
    [`GET ${folder}`]: ({ headers }) => {
      if (!access.admits(headers)) return locked(KEYLESS);
      return zipped(headers, Buffer.from(withState(indexHtml(), state())), HTML);
    },
    [`GET ${folder}api/state`]: admitted(() => ({ body: state() })),
    [`GET ${folder}api/stream`]: admitted(() =>
      feed.isFull
        ? failed(503, 'TOO_MANY', 'The page is open too often.', 'Close other tabs with this page.')
        : { body: (client) => feed.add(client), contentType: 'text/event-stream' },
    ),
  };
  for (const path of ASSET_PATHS) {
    routes[`GET ${path}`] = ({ headers }) => {
      const { type, plain, zipped: packed } = asset(path);
      return takesGzip(headers)
        ? { body: packed, contentType: type, headers: { 'content-encoding': 'gzip' } }
        : { body: plain, contentType: type };
    };
  }
  for (const [name, target] of Object.entries(ACTIONS)) {
    const handler = control[target];
    if (handler)
      routes[`POST ${folder}api/${name}`] = admitted((request) =>
        mayChange(request) ? handler(request) : forbidden(),
      );
  }
  return Object.fromEntries(Object.entries(routes).map(([route, handler]) => [route, guarded(handler)]));

  function guarded(handler: Handler): Handler {
    return async (request) => {
      const reply = access.isOurs(request.headers)
        ? await handler(request)
        : failed(421, 'WRONG_HOST', 'this page answers to 127.0.0.1 and localhost with its own port only');
      return { ...reply, headers: { ...HEADERS, ...reply.headers } };
    };
  }

  function admitted(handler: Handler): Handler {
    return (request) =>
      access.admits(request.headers)
        ? handler(request)
        : failed(401, 'NO_KEY', 'this page is not open any more', 'Run `edge-agent open`.');
  }

  function mayChange({ headers }: RouteRequest): boolean {
    return access.isFromPage(headers) && /^application\/json\b/i.test(headers['content-type'] ?? '');
  }
}

/** Names of what can be done about a dead letter. */
export function dealings(control: Routes): string[] {
  return ['retry', 'drop'].filter((name) => control[ACTIONS[name]!] !== undefined);
}

function forbidden(): RouteReply {
  return failed(403, 'FOREIGN', 'only the page itself may change something, and only with JSON');
}

/** As text in an element nobody sees: there is no script in the page that a text from elsewhere could break out of. */
function withState(html: string, state: object): string {
  const text = JSON.stringify(state).replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
  return html.replace('{{state}}', () => text);
}

function zipped(headers: IncomingHttpHeaders, body: Buffer, contentType: string): RouteReply {
  if (!takesGzip(headers)) return { body, contentType };
  return { body: gzipSync(body), contentType, headers: { 'content-encoding': 'gzip' } };
}

function takesGzip(headers: IncomingHttpHeaders): boolean {
  return /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
}

function locked(why: string): RouteReply {
  return {
    status: 401,
    contentType: HTML,
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>edge-agent: locked</title>
<link rel="stylesheet" href="/page.css">
<link rel="icon" href="/icon.svg">
<main id="locked">
<h1>Locked</h1>
<p>${why}</p>
<p>On the Mac the agent runs on, in Terminal:</p>
<pre><code>edge-agent open</code></pre>
</main>
</html>
`,
  };
}
