import type { Config } from './schema.ts';
import { websocketUrl } from './websocketUrl.ts';

/** The keys that the link to the backend goes by, in its words. */
export function linkSettings(config: Pick<Config, 'edge' | 'backend' | 'websocket'>) {
  const { backend, websocket } = config;
  return {
    agentId: config.edge.agent_id,
    baseUrl: backend.url,
    websocketUrl: websocketUrl(config),
    isSocketEnabled: websocket.enabled,
    pingIntervalSeconds: websocket.ping_interval_seconds,
    syncIntervalSeconds: backend.sync_interval_seconds,
    requestTimeoutSeconds: backend.request_timeout_seconds,
    maxConcurrentRequests: backend.max_concurrent_requests,
    network: {
      proxyUrl: backend.proxy_url,
      caFile: backend.ca_file,
      pins: backend.pin_sha256,
    },
  };
}
