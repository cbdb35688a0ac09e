import { readFileSync, statSync } from 'node:fs';
import { strFromU8, unzipSync } from 'fflate';
import { expect } from 'vitest';
import { edgeAgent } from '../../cli/edgeAgent.ts';

export interface Bundle {
  /** The text of each file, by its name. */
  readonly files: Record<string, string>;
  /** Why a file is missing, by its name. */
  readonly problems: Record<string, string>;
  readonly tookMs: number;
}

/** Has `edge-agent diagnose` make a bundle, as a person does beside the agent. */
export async function bundleOf(config: string, output: string, env: Record<string, string> = {}): Promise<Bundle> {
  const startedAt = performance.now();
  const { code, err } = await edgeAgent(['diagnose', '--config', config, '--output', output], { env });
  const tookMs = performance.now() - startedAt;
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^(edge-agent: without .*\n)*$/) });
  expect((statSync(output).mode & 0o777).toString(8)).toBe('600');
  const entries = Object.entries(unzipSync(readFileSync(output))).map(([name, bytes]) => [name, strFromU8(bytes)]);
  const files = Object.fromEntries(entries) as Record<string, string>;
  const manifest = JSON.parse(files['manifest.json']!) as { files: { file: string; problem?: string }[] };
  const missing = manifest.files.filter(({ problem }) => problem !== undefined);
  expect(manifest.files.map(({ file }) => file).filter((file) => !(file in files))).toEqual(
    missing.map(({ file }) => file),
  );
  return { files, problems: Object.fromEntries(missing.map(({ file, problem }) => [file, problem!])), tookMs };
}
