import { KEYS, type ListedKey } from './keyList.ts';
import type { Config } from './schema.ts';

const NOT_SHOWN = '[not shown]';
/** Texts that say nothing about anybody: what names the agent to its backend, and digests of public keys. */
const PLAIN = ['edge.agent_id', 'edge.secret_keychain_service', 'attachments.upload_path', 'backend.pin_sha256'];

/**
 * The configuration for other people's eyes, as `section.key: value`. Shown are numbers, flags, words that the schema
 * lists, paths, the host of a URL, and of a list of rules the names or the length; of every other text only that it is
 * set, so that a key that is added later is hidden until somebody decides.
 */
export function shownConfig(config: Config): Record<string, unknown> {
  const keys = KEYS.filter(({ isSection }) => !isSection);
  return Object.fromEntries(keys.map((key) => [key.path.join('.'), shown(key, valueAt(config, key.path))]));
}

function shown(key: ListedKey, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (PLAIN.includes(key.path.join('.')) || key.isPath) return value;
  if (Array.isArray(value)) return value.map(named);
  if (typeof value !== 'string') return NOT_SHOWN;
  if (key.expected.startsWith('one of ')) return value;
  return key.path.at(-1)!.endsWith('url') ? hostOf(value) : NOT_SHOWN;
}

/** An entry of a list: a rule by its name. */
function named(entry: unknown): string {
  const name = (entry as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? `${name}: ${NOT_SHOWN}` : NOT_SHOWN;
}

/** A path may be as good as a password. */
function hostOf(text: string): string {
  const url = URL.parse(text);
  if (!url) return NOT_SHOWN;
  return `${url.protocol}//${url.host}${url.pathname.length > 1 ? '/[…]' : ''}`;
}

function valueAt(config: Config, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], config);
}
