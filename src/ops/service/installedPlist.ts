import { readFileSync } from 'node:fs';

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** What a property list in its place has launchd run. */
export interface InstalledCommand {
  readonly node: string;
  readonly program: string;
  readonly config: string;
}

/** Undefined where there is no property list, or not one of renderPlist's. */
export function installedCommand(plistPath: string): InstalledCommand | undefined {
  let xml: string;
  try {
    xml = readFileSync(plistPath, 'utf8');
  } catch {
    return undefined;
  }
  const list = /<key>ProgramArguments<\/key>\s*<array>(.*?)<\/array>/s.exec(xml)?.[1] ?? '';
  const words = [...list.matchAll(/<string>([^<]*)<\/string>/g)].map(([, word]) =>
    word!.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]!),
  );
  const [node, program] = words;
  const at = words.indexOf('--config');
  const config = at < 0 ? undefined : words[at + 1];
  return node && program && config ? { node, program, config } : undefined;
}
