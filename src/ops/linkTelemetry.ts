import type { ErrorCode } from '../util/errors.ts';
import { isNetworkCode } from '../util/networkCodes.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { duration } from './duration.ts';
import { LineLimit } from './LineLimit.ts';
import type { LinkConditions } from './LinkConditions.ts';
import { closeLabel, dialLabel } from './linkLabels.ts';
import { maskIn } from './mask.ts';
import { OutageLog } from './OutageLog.ts';
import { count } from './plural.ts';
import type { TelemetryParts } from './telemetry.ts';

type LinkEvents =
  | 'networkUsed'
  | 'websocketConnecting'
  | 'websocketDialed'
  | 'websocketDraining'
  | 'websocketConnected'
  | 'websocketClosed'
  | 'websocketError'
  | 'websocketRefused'
  | 'websocketRetryIn'
  | 'websocketPong'
  | 'deliveryByPolling'
  | 'synced'
  | 'syncFailed'
  | 'frameRefused'
  | 'frameIgnored';

/** A connection that lasted this long ended an outage; what ends sooner goes on with it, ms. As the back-off does. */
const LASTING_MS = 30_000;
/** The close code of a backend that takes the handshake and refuses the secret afterwards. Protocol. */
const NOT_AUTHORISED = 4001;

/**
 * The link to the backend. Operators grep for the lines that begin with "Connecting", a symbol, "WebSocket closed",
 * "WebSocket error" or "Command delivery": their text is fixed.
 *
 * While the socket is down, each dial that fails is one line above DEBUG, "WebSocket error". Beside it stand, once in an
 * outage for each cause: the address that is dialed, and what a refusal most likely means. A sync that fails is told
 * once a cause as well, unless it is a blocked way that stands as a condition, which has a line of its own. When a channel works again,
 * one line says how long it did not.
 */
export function linkTelemetry(parts: TelemetryParts, conditions: LinkConditions): Pick<Telemetry, LinkEvents> {
  const { logger, metrics, health, clock } = parts;
  const socket = new OutageLog(clock);
  const polling = new OutageLog(clock);
  const badFrames = new LineLimit(clock);
  /** The next dial is the first since the start, a connection or a change of cause. */
  let isDialNews = true;
  let dialResult: string | undefined;
  let connectedAt = Number.POSITIVE_INFINITY;
  return {
    networkUsed(description) {
      logger.info(`The backend is reached with ${description}`);
    },
    websocketConnecting(url) {
      socket.tried();
      logger[isDialNews ? 'info' : 'debug'](`Connecting to WebSocket: ${url}`);
      isDialNews = false;
    },
    websocketDialed(result) {
      metrics.countBy('websocket_dials', dialLabel(result));
      logger.debug(`Dial of the WebSocket: ${result}`);
      if (result === 'open' || result === 'abandoned') return;
      socket.failed();
      const isChange = dialResult !== undefined && dialResult !== result;
      dialResult = result;
      if (socket.isNews(`dial ${result}`) && isChange) isDialNews = true;
      const condition = dialCondition(result);
      if (condition)
        conditions.failed('websocket', condition, `the WebSocket cannot be opened: ${result.replace('_', ' ')}`);
    },
    websocketDraining(retryAfterMs) {
      metrics.count('websocket_drains');
      const when = retryAfterMs === 0 ? 'within 2 s' : `in ${duration(retryAfterMs)}`;
      logger.info(`The backend asks its agents to leave and come back (drain); back ${when}`);
    },
    websocketConnected() {
      logger.info('✅ WebSocket connected - real-time mode enabled');
      logger.info('🔌 WebSocket connected - real-time command delivery enabled');
      logger.info('Command delivery: Real-time via WebSocket 🚀');
      const outage = socket.ended();
      if (outage) logger.info(`The WebSocket is back after ${outage}`);
      isDialNews = true;
      dialResult = undefined;
      connectedAt = clock.monotonic();
      conditions.works('websocket');
    },
    websocketClosed(code, reason) {
      metrics.countBy('websocket_closes', closeLabel(code));
      if (clock.monotonic() - connectedAt >= LASTING_MS) socket.forget();
      connectedAt = Number.POSITIVE_INFINITY;
      socket.broke();
      logger.warn(`WebSocket closed: code=${code}, reason=${maskIn(reason) || 'Unknown'}`);
    },
    websocketError(message) {
      logger.error('WebSocket error:', maskIn(message));
    },
    websocketRefused({ status, body, likelyCause, check }) {
      const said = body ? ` It said: ${maskIn(body)}` : '';
      const line = `The backend refused the WebSocket with ${status}: ${likelyCause} ${check}${said}`;
      logger[socket.isNews(`refused ${status}`) ? 'error' : 'debug'](line);
      if (status === NOT_AUTHORISED) {
        conditions.failed('websocket', 'EDGE_BACKEND_AUTH', `the WebSocket was closed with ${status}`);
      }
    },
    websocketRetryIn(ms) {
      logger.debug(`Next try of the WebSocket in ${duration(ms)}`);
    },
    websocketPong(ms) {
      metrics.count('websocket_pongs');
      metrics.count('websocket_pong_seconds', ms / 1000);
      logger.debug(`Pong after ${Math.round(ms)} ms`);
    },
    deliveryByPolling({ everySeconds, wasUp }) {
      if (wasUp) logger.warn('🔌 WebSocket disconnected - falling back to HTTP polling');
      logger.info(`Command delivery: HTTP polling every ${everySeconds}s`);
    },
    synced({ commands, events, ms }) {
      metrics.count('syncs');
      polling.tried();
      const outage = polling.ended();
      polling.forget();
      if (outage) logger.info(`Syncs are answered again after ${outage}`);
      conditions.works('sync');
      const line = `Sync in ${Math.round(ms)} ms: ${count(commands, 'command')} received, ${count(events, 'event')} taken`;
      if (commands + events > 0) logger.info(line);
      else logger.debug(line);
    },
    syncFailed(code, detail) {
      metrics.count('sync_failures');
      metrics.error(code);
      polling.tried();
      polling.failed();
      // A backend without this endpoint is one that does not queue commands: nothing is wrong with the agent.
      if (code !== 'EDGE_BACKEND_NOT_FOUND') conditions.failed('sync', code, detail);
      // A way that is blocked is blocked for all who go it, and the condition has said so; of a refusal each is told.
      const isNews = polling.isNews(code) && !(isNetworkCode(code) && health.stands(code));
      logger[isNews ? 'warn' : 'debug'](`${code}: sync failed: ${maskIn(detail)}`);
    },
    frameRefused(code, detail) {
      metrics.count('frames_refused');
      metrics.error(code);
      const note = badFrames.next();
      if (note === undefined) logger.debug(`${code}: ${maskIn(detail)}`);
      else logger.warn(`${code}: ${maskIn(detail)}${note}`);
    },
    frameIgnored(type) {
      logger.debug(`Frame ignored: ${type}`);
    },
  };
}

/** What the answer to a handshake says about the link. What keeps one from coming at all is told by the network. */
function dialCondition(result: string): ErrorCode | undefined {
  const status = Number(/^status_(\d{3})$/.exec(result)?.[1]);
  if (status === 401 || status === 403) return 'EDGE_BACKEND_AUTH';
  if (status === 404 || status === 410) return 'EDGE_BACKEND_NOT_FOUND';
  if (status === 429 || status >= 500) return 'EDGE_BACKEND_BUSY';
  return undefined;
}
