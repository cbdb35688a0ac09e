import { shellWord } from '../../util/printable.ts';
import { type Check, fail, pass } from './Check.ts';

interface Configuration {
  readonly file: string;
  readonly exists: boolean;
  /** Everything that is wrong with it, each with its place; empty where nothing is. */
  readonly problems: readonly string[];
}

/** Whether the configuration can be used. */
export function configuration({ file, exists, problems }: Configuration): Check {
  const check = `edge-agent check-config --config ${shellWord(file)}`;
  return {
    name: 'config',
    run() {
      if (problems.length === 0) return pass(`${file} is valid`);
      const text = `EDGE_CONFIG_INVALID: ${problems.join('; ')}`;
      if (exists) return fail(text, `Correct each place, then: ${check}`);
      return fail(
        `${text}. The other checks go by the defaults`,
        'edge-agent service install asks for what it needs, and writes it',
      );
    },
  };
}
