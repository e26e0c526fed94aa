import { POLICIES } from '../policies.ts';
import type { TableContent } from '../table.ts';

/** A table of policies as `nft list table` tells it. */
export function listed({ chains, sets }: TableContent): string {
  const elements = (entries: ReadonlyMap<string, string>) =>
    entries.size === 0
      ? ''
      : `elements = { ${[...entries].map(([key, value]) => (value === '' ? key : `${key} : ${value}`)).join(', ')} };`;
  let text = POLICIES.text.trimEnd().replace(/\}$/, '');
  for (const [name, { declaration, elements: entries }] of sets) {
    if (declaration === undefined)
      text = text.replace(new RegExp(`((?:map|set) ${name} \\{[^}]*)\\}`), `$1 ${elements(entries)} }`);
    else text += `  set ${name} { ${declaration} ${elements(entries)} }\n`;
  }
  for (const [name, rules] of chains)
    text += `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }\n`;
  return `${text}}\n`;
}
