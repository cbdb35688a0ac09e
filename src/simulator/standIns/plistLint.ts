const CONTAINERS = ['plist', 'dict', 'array'];
const VALUES = ['string', 'integer', 'real', 'date', 'data'];
const EMPTY = ['true', 'false'];
/** A tag, a comment, a processing instruction or the doctype, in this order of names. */
const MARKUP = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>|<(\/?)([A-Za-z]+)((?:\s[^<>]*?)?)(\/?)>/g;

/** What is wrong with an XML property list, or undefined: tags that match, known names, keys and values by turns. */
export function plistProblem(xml: string): string | undefined {
  const open: { name: string; children: string[] }[] = [{ name: '', children: [] }];
  let end = 0;
  for (const match of xml.matchAll(MARKUP)) {
    const [markup, slash, name, , selfClosing] = match;
    const top = open.at(-1)!;
    const problem = textProblem(xml.slice(end, match.index), top.name);
    if (problem) return problem;
    end = match.index + markup.length;
    if (name === undefined) continue;
    if (![...CONTAINERS, ...VALUES, ...EMPTY, 'key'].includes(name)) return `unknown tag <${name}>`;
    if (slash) {
      if (top.name !== name) return `</${name}> closes <${top.name}>`;
      const wrong = contentProblem(top);
      if (wrong) return wrong;
      open.pop();
      continue;
    }
    if (!['', ...CONTAINERS].includes(top.name)) return `<${name}> inside <${top.name}>`;
    top.children.push(name);
    if (!selfClosing) open.push({ name, children: [] });
  }
  if (xml.slice(end).trim() !== '') return 'text after the end';
  if (open.length > 1) return `<${open.at(-1)!.name}> is not closed`;
  return open[0]!.children.join() === 'plist' ? undefined : 'no <plist> at the top';
}

function textProblem(text: string, inside: string): string | undefined {
  if (['', ...CONTAINERS].includes(inside) && text.trim() !== '') return `stray text "${text.trim().slice(0, 40)}"`;
  if (text.includes('<')) return 'a < that begins no tag';
  const ampersand = text.match(/&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/);
  return ampersand ? 'an & that begins no entity' : undefined;
}

function contentProblem({ name, children }: { name: string; children: string[] }): string | undefined {
  if (name === 'plist' && children.length !== 1) return '<plist> needs exactly one value';
  if (name !== 'dict') return children.includes('key') ? `<key> inside <${name}>` : undefined;
  const isRegular = children.length % 2 === 0 && children.every((child, at) => (child === 'key') === (at % 2 === 0));
  return isRegular ? undefined : '<dict> needs a <key> before each value';
}
