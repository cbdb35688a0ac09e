import type { Routes } from '../routes.ts';

/** Answer of POST /open on the control socket. */
export interface OpenOutcome {
  /** Opens the status page once, for some minutes; null where nothing is served. */
  readonly url: string | null;
  /** monitoring.port; 0: off. With a port and no url the port is taken. */
  readonly port: number;
}

/** Gives the link to the status page to whoever may open the control socket. */
export function openRoute(o: { port: number; isServed: () => boolean; link: () => string }): Routes {
  return {
    'POST /open': () => {
      const reply: OpenOutcome = { url: o.isServed() ? o.link() : null, port: o.port };
      return { body: reply };
    },
  };
}
