import type { Io } from './Io.ts';

/**
 * Whether launchd runs this process as its service: it gives each the label as XPC_SERVICE_NAME. What is started from
 * Terminal has "0" or the name of an application there. By the environment rather than by a flag in the plist, so that
 * a plist of an earlier version, or Homebrew's (homebrew.mxcl.edge-agent), is as good.
 */
export function isLaunchdService({ env }: Pick<Io, 'env'>): boolean {
  return /(^|\.)edge-agent$/.test(env.XPC_SERVICE_NAME ?? '');
}
