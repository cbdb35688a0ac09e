import type { Config } from './schema.ts';

const PATH = '/edge/ws';

/** Where the WebSocket is, without the query: backend.websocket_url, else backend.url with http→ws. */
export function websocketUrl(config: Pick<Config, 'backend'>): string {
  const base = config.backend.websocket_url ?? config.backend.url.replace(/^http/i, 'ws');
  const trimmed = base.replace(/\/+$/, '');
  return trimmed.endsWith(PATH) ? trimmed : trimmed + PATH;
}
