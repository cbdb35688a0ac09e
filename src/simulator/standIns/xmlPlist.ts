import { plistProblem } from './plistLint.ts';

export type Plist = string | number | boolean | Plist[] | { [key: string]: Plist };

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads an XML property list; dates and data as their text. @throws Error that says what is wrong with it */
export function readXmlPlist(xml: string): Plist {
  const problem = plistProblem(xml);
  if (problem) throw new Error(problem);
  const body = xml.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>/g, '');
  const tokens = [...body.matchAll(/<(\/?)([A-Za-z]+)[^<>]*?(\/?)>([^<]*)/g)].map(
    ([, closes, name, isEmpty, text]) => ({ name: name!, text: text!, opens: !closes, isEmpty: isEmpty !== '' }),
  );
  let at = 1; // past <plist>
  const isEnd = () => !tokens[at]!.opens;
  const text = (token: (typeof tokens)[number]) => {
    if (!token.isEmpty) at++; // its closing tag
    return token.isEmpty ? '' : plain(token.text);
  };
  const value = (): Plist => {
    const token = tokens[at++]!;
    if (token.name === 'true' || token.name === 'false') {
      if (!token.isEmpty) at++;
      return token.name === 'true';
    }
    if (token.name === 'integer' || token.name === 'real') return Number(text(token));
    if (token.name === 'array') {
      const items: Plist[] = [];
      while (!token.isEmpty && !isEnd()) items.push(value());
      if (!token.isEmpty) at++;
      return items;
    }
    if (token.name !== 'dict') return text(token);
    const entries: Record<string, Plist> = {};
    while (!token.isEmpty && !isEnd()) {
      const key = text(tokens[at++]!);
      entries[key] = value();
    }
    if (!token.isEmpty) at++;
    return entries;
  };
  return value();
}

/** The property list as plutil writes it. */
export function writeXmlPlist(value: Plist): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${element(value, '')}</plist>
`;
}

function element(value: Plist, indent: string): string {
  if (typeof value === 'string') return `${indent}<string>${escaped(value)}</string>\n`;
  if (typeof value === 'boolean') return `${indent}<${value}/>\n`;
  if (typeof value === 'number') {
    const name = Number.isInteger(value) ? 'integer' : 'real';
    return `${indent}<${name}>${value}</${name}>\n`;
  }
  const name = Array.isArray(value) ? 'array' : 'dict';
  const inner = Array.isArray(value)
    ? value.map((item) => element(item, `${indent}\t`))
    : Object.keys(value)
        .sort()
        .map((key) => `${indent}\t<key>${escaped(key)}</key>\n${element(value[key]!, `${indent}\t`)}`);
  return inner.length === 0 ? `${indent}<${name}/>\n` : `${indent}<${name}>\n${inner.join('')}${indent}</${name}>\n`;
}

function plain(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|([a-z]+));/g, (whole, hex?: string, decimal?: string, name = '') => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return decimal ? String.fromCodePoint(Number(decimal)) : (ENTITIES[name] ?? whole);
  });
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]!);
}
