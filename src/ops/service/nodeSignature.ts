import { codeOf, messageOf } from '../../util/EdgeError.ts';
import type { RunProgram } from '../macos/programs.ts';

const CODESIGN_MS = 20_000;

/** How a program file is signed. `unknown`: codesign is not there, or did not say. */
export type NodeSignature =
  | { readonly kind: 'team'; readonly team: string }
  | { readonly kind: 'adhoc' | 'broken' | 'unknown'; readonly detail: string };

/** Asks `codesign`, which writes what it finds to standard error. */
export async function nodeSignature(path: string, run: RunProgram): Promise<NodeSignature> {
  try {
    const verified = await run('codesign', ['--verify', path], { timeoutMs: CODESIGN_MS });
    if (verified.exitCode !== 0) {
      const said = verified.stderr.trim().split('\n')[0] || `codesign ended with ${verified.exitCode ?? 'a signal'}`;
      return { kind: 'broken', detail: said };
    }
    const { stderr } = await run('codesign', ['-dv', path], { timeoutMs: CODESIGN_MS });
    if (/^Signature=adhoc$/m.test(stderr) || /^CodeDirectory .*flags=\S*\([^)]*\badhoc\b/m.test(stderr)) {
      return { kind: 'adhoc', detail: 'the signature names nobody' };
    }
    const team = /^TeamIdentifier=(\w+)$/m.exec(stderr)?.[1];
    return team ? { kind: 'team', team } : { kind: 'unknown', detail: 'codesign names no team' };
  } catch (error) {
    if (codeOf(error, 'EDGE_INTERNAL') !== 'EDGE_PROGRAM_MISSING') throw error;
    return { kind: 'unknown', detail: messageOf(error) };
  }
}

/** What an operator should know of a signature before permissions are given to the file; undefined: nothing. */
export function signatureAdvice(signature: NodeSignature): string | undefined {
  if (signature.kind === 'broken') {
    return `This Node is not signed, or its signature is broken (${signature.detail}); macOS may refuse to run it. Install Node from https://nodejs.org and name it with --node FILE.`;
  }
  if (signature.kind !== 'adhoc') return undefined;
  return 'This Node is only ad-hoc signed, as Homebrew’s is: macOS then gives Full Disk Access to exactly these bytes, and the next version of it has none. Homebrew’s also needs libraries beside it, which an upgrade replaces. The Node of https://nodejs.org, named with --node FILE, has neither trouble.';
}
