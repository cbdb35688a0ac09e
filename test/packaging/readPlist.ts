export type PlistValue = string | number | boolean | PlistValue[] | { [key: string]: PlistValue };

const ENTITIES: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** Reads the XML property lists this project writes; throws on anything that is not one. */
export function readPlist(xml: string): PlistValue {
  const body = xml.replace(/<!--(?:(?!--).)*-->/gs, '');
  const tokens = [...body.matchAll(/<([^>]+)>([^<]*)/g)].map(([, tag, text]) => ({ tag: tag!, text: text! }));
  if (body.includes('--') && /<!--|-->/.test(body)) throw new Error('a comment holds two hyphens');
  let at = 0;
  const next = () => tokens[at++] ?? { tag: 'the end', text: '' };
  const expectTag = (tag: string) => {
    const found = next();
    if (found.tag !== tag) throw new Error(`expected <${tag}>, found <${found.tag}>`);
    return found.text;
  };
  const plain = (text: string) => {
    if (/&(?!amp;|lt;|gt;)/.test(text)) throw new Error(`an & stands alone in ${text}`);
    return text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]!);
  };
  const value = (): PlistValue => {
    const { tag, text } = next();
    if (tag === 'true/') return true;
    if (tag === 'false/') return false;
    if (tag === 'string' || tag === 'integer') {
      expectTag(`/${tag}`);
      return tag === 'string' ? plain(text) : Number(text);
    }
    if (tag === 'array') {
      const items: PlistValue[] = [];
      while (tokens[at]?.tag !== '/array') items.push(value());
      at++;
      return items;
    }
    if (tag !== 'dict') throw new Error(`unexpected <${tag}>`);
    const entries: { [key: string]: PlistValue } = {};
    while (tokens[at]?.tag !== '/dict') {
      const key = expectTag('key');
      if (key in entries) throw new Error(`${key} stands twice`);
      expectTag('/key');
      entries[key] = value();
    }
    at++;
    return entries;
  };
  expectTag('?xml version="1.0" encoding="UTF-8"?');
  if (!next().tag.startsWith('!DOCTYPE plist ')) throw new Error('no DOCTYPE');
  expectTag('plist version="1.0"');
  const top = value();
  expectTag('/plist');
  if (at !== tokens.length) throw new Error('something follows </plist>');
  return top;
}
