const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a URL names this machine; what goes there crosses no network. */
export function isLoopback(url: URL): boolean {
  return LOOPBACK.test(url.hostname);
}
