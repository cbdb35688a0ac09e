import { ERRORS, type ErrorCode } from '../util/errors.ts';
import type { Logger } from '../util/Logger.ts';
import { LINK_ERRORS } from '../util/linkErrors.ts';
import { isAnswerCode, isNetworkCode } from '../util/networkCodes.ts';
import type { Claimant, Health } from './Health.ts';
import { maskIn } from './mask.ts';

type Channel = Exclude<Claimant, 'agent'>;

/** One failure says little; these need no second. */
const AT_ONCE: ReadonlySet<ErrorCode> = new Set(['EDGE_BACKEND_AUTH', 'EDGE_TLS_PIN']);

interface Trouble {
  code: ErrorCode;
  /** Failures with this code in a row. */
  failures: number;
  /** What the channel claims in Health. */
  claimed: ErrorCode | undefined;
}

/**
 * What stands between the agent and its backend, as conditions. Each channel claims at most one, that of its last
 * failures, so that one cause is one condition however many channels meet it.
 *
 * | what                                             | ended by                                                         |
 * |--------------------------------------------------|------------------------------------------------------------------|
 * | the way is blocked: name, network, proxy, TLS    | the first channel that met it and is answered, for all of them   |
 * | the backend refuses: secret, 404, busy           | success of the channel that was refused: others may be welcome   |
 *
 * A channel whose way alone is blocked, as that of a socket behind a proxy without upgrades, keeps its condition until it
 * works itself. What messages and the network meet is claimed by the agent (`conditionRaised`) and obeys the same table.
 */
export class LinkConditions {
  readonly #health: Health;
  readonly #logger: Logger;
  readonly #troubles = new Map<Channel, Trouble>();

  constructor(options: { health: Health; logger: Logger }) {
    this.#health = options.health;
    this.#logger = options.logger;
  }

  failed(channel: Channel, code: ErrorCode, detail: string): void {
    const before = this.#troubles.get(channel);
    if (before && isNetworkCode(before.code) && isAnswerCode(code)) this.#wayIsOpen();
    const failures = before?.code === code ? before.failures + 1 : 1;
    const trouble: Trouble = { code, failures, claimed: before?.claimed };
    this.#troubles.set(channel, trouble);
    if (!isCondition(code) || (failures < 2 && !AT_ONCE.has(code))) return;
    if (trouble.claimed && trouble.claimed !== code) this.#clear(trouble.claimed, channel);
    trouble.claimed = code;
    if (this.#health.raise(code, detail, channel)) {
      this.#logger.error(`${code}: ${maskIn(detail)}. ${ERRORS[code].means} ${ERRORS[code].fix}`);
    }
  }

  works(channel: Channel): void {
    const claimed = this.#troubles.get(channel)?.claimed;
    this.#troubles.delete(channel);
    if (claimed) this.#over(claimed, channel);
  }

  /** Messages do not meet `code` any more. */
  cleared(code: ErrorCode): void {
    if (this.#health.isClaimed(code, 'agent')) this.#over(code, 'agent');
  }

  #over(code: ErrorCode, by: Claimant): void {
    this.#clear(code, by);
    if (isNetworkCode(code)) this.#wayIsOpen();
  }

  #wayIsOpen(): void {
    for (const { code: other } of this.#health.standing()) {
      if (!isNetworkCode(other)) continue;
      for (const claimant of ['websocket', 'sync', 'agent'] as const) this.#clear(other, claimant);
    }
    for (const trouble of this.#troubles.values()) {
      if (trouble.claimed && isNetworkCode(trouble.claimed))
        Object.assign(trouble, { failures: 0, claimed: undefined });
    }
  }

  #clear(code: ErrorCode, by: Claimant): void {
    if (this.#health.clear(code, by)) this.#logger.info(`${code} is over`);
  }
}

/** Other codes are a line in the log (an answer that cannot be read), or somebody else’s condition (no secret). */
function isCondition(code: ErrorCode): boolean {
  return code in LINK_ERRORS && 'condition' in LINK_ERRORS[code as keyof typeof LINK_ERRORS];
}
