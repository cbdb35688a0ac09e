/** How a send names its target: a person on a service, or the guid of a chat that exists. */
export type Form = 'participant' | 'chat';

/**
 * How Messages behaves when it is next asked to send. Plain data but for the two hooks, so that it can be handed to a
 * simulated Mac in another process. Without any of the fields it behaves well.
 */
export interface Behaviour {
  /** How many sends it is for; the first that matches is used up first. @default 1 */
  readonly times?: number | 'always';
  /** Only sends of this form, to this target, or by this service (of a participant). @default all */
  readonly only?: { readonly form?: Form; readonly target?: string; readonly service?: string };

  /** Called when the request has arrived and nothing has happened yet. The send waits for it. */
  readonly beforeEffect?: () => void | Promise<void>;
  /** How long Messages takes until the bubble is out, ms. @default 0 */
  readonly beforeEffectMs?: number;
  /** osascript never ends: stopped before the bubble is out, or after. */
  readonly hang?: 'before-effect' | 'after-effect';
  /** Ends with this AppleScript error instead of an effect, e.g. -1728; with words of its own, if given. */
  readonly fail?: number | { readonly code: number; readonly message: string };
  /** Ends with 0, and nothing else ever happens: no bubble, no row. */
  readonly swallow?: boolean;
  /** Ends with 0; what appears is an empty row of service SMS without a chat, and no bubble (openclaw/imsg #90). */
  readonly ghost?: boolean;

  /** How long after the bubble is out its row appears, ms; osascript does not wait for it. @default 0: before its end */
  readonly rowMs?: number;
  /** The bubble is refused: message.error becomes this (22, 25, …), is_sent stays 0. It never gets to the person. */
  readonly error?: number;
  /** When, ms after the row. @default 10 */
  readonly errorMs?: number;

  /** The same text comes back as an inbound row with another guid, ms after the row: a bubble to oneself. @default never */
  readonly selfCopyMs?: number;
  /** When the other party's device has it, ms after the row, or `never`. @default the Mac's delay; SMS never */
  readonly deliveredMs?: number | 'never';

  /** Called when the bubble is out and its row (unless late) is written. The end of osascript waits for it. */
  readonly afterEffect?: () => void | Promise<void>;
  /** How long osascript goes on after the effect, ms. @default 0 */
  readonly afterEffectMs?: number;
  /** Ends with this AppleScript error although the bubble is out, e.g. -1712. */
  readonly failAfterEffect?: number;
}

/** The scripted behaviours, in the order in which they were given. */
export class BehaviourScript {
  #steps: { behaviour: Behaviour; left: number }[] = [];

  add(behaviour: Behaviour): void {
    const times = behaviour.times ?? 1;
    this.#steps.push({ behaviour, left: times === 'always' ? Number.POSITIVE_INFINITY : times });
  }

  clear(): void {
    this.#steps = [];
  }

  /** How to behave towards this send; counts it. */
  next(send: { form: Form; target: string; service: string }): Behaviour {
    const step = this.#steps.find(
      ({ behaviour: { only } }) =>
        (only?.form === undefined || only.form === send.form) &&
        (only?.target === undefined || only.target === send.target) &&
        (only?.service === undefined || only.service === send.service),
    );
    if (!step) return {};
    if (--step.left <= 0) this.#steps = this.#steps.filter((other) => other !== step);
    return step.behaviour;
  }
}
