import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const AGENT_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Why an agent is refused; the texts are the close reasons that deployed agents know. */
export type Refusal =
  | 'Missing or invalid Authorization header'
  | 'Invalid token'
  | 'Invalid edge_agent_id'
  | 'Edge agent not registered';

export type Verdict = { ok: true; agentId: string } | { ok: false; refusal: Refusal };

/**
 * Who may speak: agents with one of the secrets (several while one is being replaced) and a registered id.
 * Without a list of ids, every id is registered.
 */
export class Credentials {
  readonly #secrets: readonly Buffer[];
  readonly #agents: ReadonlySet<string>;

  constructor(o: { secrets: readonly string[]; agents: readonly string[] }) {
    this.#secrets = o.secrets.map(digest);
    this.#agents = new Set(o.agents);
  }

  /** `queryId`: edge_agent_id of the WebSocket URL. Header and query must name the same agent where both are given. */
  check(headers: IncomingHttpHeaders, queryId?: string | null): Verdict {
    const token = bearerToken(headers.authorization);
    if (token === undefined) return { ok: false, refusal: 'Missing or invalid Authorization header' };
    if (!isOneOf(token, this.#secrets)) return { ok: false, refusal: 'Invalid token' };
    const header = headers['x-edge-agent-id'];
    const agentId = queryId ?? header;
    if (typeof agentId !== 'string' || !AGENT_ID.test(agentId) || (header !== undefined && header !== agentId)) {
      return { ok: false, refusal: 'Invalid edge_agent_id' };
    }
    return this.isRegistered(agentId) ? { ok: true, agentId } : { ok: false, refusal: 'Edge agent not registered' };
  }

  isRegistered(agentId: string): boolean {
    return AGENT_ID.test(agentId) && (this.#agents.size === 0 || this.#agents.has(agentId));
  }
}

/** 401 where nothing was shown, 403 where it was wrong. Never another 4xx: an agent sets messages aside for those. */
export function statusOf(refusal: Refusal): 401 | 403 {
  return refusal === 'Missing or invalid Authorization header' ? 401 : 403;
}

export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** Compares in a time that tells neither how much of the token is right nor which secret it is. */
export function isOneOf(token: string, digests: readonly Buffer[]): boolean {
  const shown = digest(token);
  let found = false;
  for (const secret of digests) found = timingSafeEqual(shown, secret) || found;
  return found;
}

export function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
