import type { ErrorCode } from '../../util/errors.ts';

/** In the order in which they are walked; `dns`, `tcp` and `tls` again where the WebSocket is at another host. */
export type StepName = 'dns' | 'tcp' | 'tls' | 'health' | 'sync' | 'upgrade' | 'ping' | 'probe';
export type StepStatus = 'pass' | 'warn' | 'fail' | 'skipped';

/** What the step sent; headers with the secret as `[secret]`. */
export interface Sent {
  readonly request: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What came back; without the secret, wherever it was echoed. */
export interface Received {
  readonly status?: number | undefined;
  /** Those that tell who answered and why, by names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The first 500 characters of a refusal; never that of an answer, which may hold what a person is to be told. */
  readonly body?: string | undefined;
  readonly close?: { readonly code: number; readonly reason: string } | undefined;
  readonly error?: { readonly code: ErrorCode; readonly detail: string } | undefined;
}

export interface StepResult {
  readonly step: StepName;
  /** `host:port`. */
  readonly target: string;
  readonly status: StepStatus;
  readonly ms: number;
  /** What is so, in one sentence. */
  readonly text: string;
  readonly sent: Sent | undefined;
  readonly received: Received | undefined;
  /** Why it failed, most likely first; empty where it did not. */
  readonly causes: readonly string[];
  /** What to ask the backend's people. */
  readonly ask: readonly string[];
  readonly fix: string | undefined;
}

/** What a step found, before its name and time are put to it. */
export type Found = Pick<StepResult, 'status' | 'text'> &
  Partial<Pick<StepResult, 'sent' | 'received' | 'causes' | 'ask' | 'fix'>>;
