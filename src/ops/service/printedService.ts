/** Of what `launchctl print gui/UID/LABEL` says, what is used here. */
export interface PrintedService {
  /** Null while no process runs. */
  readonly pid: number | null;
  /** `running`, `not running`, `spawn scheduled`; null where it is not told. */
  readonly state: string | null;
  readonly lastExitCode: number | null;
  readonly lastSignal: string | null;
  readonly path: string | undefined;
}

/**
 * Reads the outermost lines, `<tab>name = value`: deeper blocks (endpoints, environment) have names of their own that are
 * alike. launchctl(1) calls its output no interface, so what is missing or odd counts as not told.
 */
export function readPrintedService(text: string): PrintedService {
  const values = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/^\t([a-z ]+) = (.*)$/gm))
    if (!values.has(name!)) values.set(name!, value!);
  const path = values.get('path');
  return {
    pid: numberOf(values.get('pid')),
    state: values.get('state') ?? null,
    lastExitCode: numberOf(values.get('last exit code')), // `78: EX_CONFIG`, or `(never exited)`
    lastSignal: values.get('last terminating signal') ?? null,
    path: path?.startsWith('/') ? path : undefined, // `(submitted by …)` for what was loaded from no file
  };
}

function numberOf(text: string | undefined): number | null {
  const digits = /^-?\d+/.exec(text ?? '')?.[0];
  return digits === undefined ? null : Number(digits);
}
