/**
 * The rules of a DTD as a RELAX NG grammar, for a validator that knows only that. Takes what Apple's property list DTD is
 * made of: parameter entities, content models of names with `|`, `,` and `*`, #PCDATA, EMPTY, and CDATA attributes.
 */
export function relaxNgOfDtd(dtd: string, root: string): string {
  const entities = new Map<string, string>();
  const text = dtd
    .replace(/<!--.*?-->/gs, '')
    .replace(/<!ENTITY\s+%\s+(\w+)\s+"([^"]*)"\s*>/g, (_all, name: string, value: string) => {
      entities.set(name, value);
      return '';
    })
    .replace(/%(\w+);/g, (_all, name: string) => entities.get(name)!);
  const attributes = new Map(
    [...text.matchAll(/<!ATTLIST\s+(\w+)\s+(\w+)\s+CDATA/g)].map(([, of, name]) => [of!, name!]),
  );
  const elements = [...text.matchAll(/<!ELEMENT\s+(\w+)\s+([^>]+?)\s*>/g)].map(([, name, model]) => {
    const attribute = attributes.get(name!);
    const optional = attribute ? `<optional><attribute name="${attribute}"/></optional>` : '';
    return `<define name="${name}"><element name="${name}">${optional}${patternOf(model!)}</element></define>`;
  });
  return `<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><ref name="${root}"/></start>${elements.join('')}</grammar>`;
}

function patternOf(model: string): string {
  if (model === 'EMPTY') return '<empty/>';
  const tokens = model.match(/#?\w+|[()|,*]/g) ?? [];
  let at = 0;
  const particle = (): string => {
    const token = tokens[at++];
    let pattern = token === '#PCDATA' ? '<text/>' : `<ref name="${token}"/>`;
    if (token === '(') {
      const parts = [particle()];
      const separator = tokens[at];
      while (tokens[at] === '|' || tokens[at] === ',') {
        if (tokens[at++] !== separator) throw new Error(`| and , stand side by side in ${model}`);
        parts.push(particle());
      }
      if (tokens[at++] !== ')') throw new Error(`a ) is missing in ${model}`);
      const kind = separator === '|' ? 'choice' : 'group';
      pattern = `<${kind}>${parts.join('')}</${kind}>`;
    }
    if (tokens[at] !== '*') return pattern;
    at++;
    return `<zeroOrMore>${pattern}</zeroOrMore>`;
  };
  const pattern = particle();
  if (at !== tokens.length) throw new Error(`${model} is not understood`);
  return pattern;
}
