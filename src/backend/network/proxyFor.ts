import { getProxyForUrl } from 'proxy-from-env';
import { EdgeError } from '../../util/EdgeError.ts';
import { isLoopback } from '../../util/loopback.ts';

/** What proxy-from-env calls the schemes of ws: HTTPS_PROXY holds for wss as well. */
const HTTP_SCHEME: Readonly<Record<string, string>> = { 'ws:': 'http:', 'wss:': 'https:' };

/**
 * The proxy on the way to `url`: the configured one, else what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say of
 * it; undefined for none. Never one to this machine.
 * @throws EdgeError EDGE_PROXY_FAILED: what is set is no http(s) URL. To go around it would be against what was set.
 */
export function proxyFor(url: URL, configured: string | undefined): URL | undefined {
  if (isLoopback(url)) return undefined;
  const text = configured ?? getProxyForUrl(`${HTTP_SCHEME[url.protocol] ?? url.protocol}//${url.host}`);
  if (!text) return undefined;
  const proxy = URL.parse(text);
  if (!proxy || !['http:', 'https:'].includes(proxy.protocol)) fail('is no http(s) URL');
  // With a / ? or # in the password the host would be the user name, and the beginning of the password its port.
  if (`${proxy.pathname}${proxy.search}${proxy.hash}`.includes('@')) {
    fail('has a / ? or # in its user name or password, which must be written %2F %3F %23');
  }
  return proxy;
}

function fail(why: string): never {
  throw new EdgeError('EDGE_PROXY_FAILED', `the proxy of the environment ${why}`);
}

/** A proxy as it may be shown: without user name and password. */
export function shownProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}
