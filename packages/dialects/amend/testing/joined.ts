import type { Document, Node } from 'yaml';
import type { Format } from '../../dialect.ts';
import type { DescriptorFile } from '../../files.ts';
import { plainValue, yamlTrees } from '../../yaml-nodes.ts';
import { blockText, endOf, layoutOf } from '../layout.ts';
import { nodeIn } from '../merge.ts';
import { partsOf } from '../parts.ts';

/** Where descriptors of a kind stand in a text that has all of a service. */
const lists: Partial<Record<Format, (kind: string) => readonly string[]>> = {
  sol006: (kind) => ['etsi-nfv-descriptors:nfv', kind],
  osm: (kind) => [kind, kind],
  osm8: (kind) => [`${kind}:${kind}-catalog`, kind],
};

/**
 * Several files of a service as one text that says the same: manifests one after the other, descriptors in lists. What was
 * written in a descriptor stays as it was. Undefined where the dialect has no such text, or a file is something else.
 */
export function joined(format: Format, files: readonly DescriptorFile[]): string | undefined {
  const [only, ...others] = files;
  if (only === undefined) return undefined;
  const texts = files.map(({ bytes }) => new TextDecoder().decode(bytes).replace(/\r\n/g, '\n'));
  if (others.length === 0) return texts[0];
  if (format === 'kubernetes') {
    const isYaml = (text: string) => !/^\s*[{[]/.test(text);
    return texts.every(isYaml) ? texts.map((text) => text.replace(/\n?$/, '\n')).join('---\n') : undefined;
  }
  const listOf = lists[format];
  if (listOf === undefined) return undefined;
  const items = new Map<string, string[]>();
  for (const [i, text] of texts.entries()) {
    const documents = yamlTrees(text);
    if (documents?.length !== 1 || documents[0]!.errors.length > 0) return undefined;
    const plain = plainValue(documents[0]!);
    const parts = plain === undefined ? [] : partsOf(format, [plain.value], files[i]!.path);
    if (parts.length === 0) return undefined;
    for (const { kind, path, value } of parts)
      items.set(kind, [...(items.get(kind) ?? []), itemText(text, documents[0]!, path, value)]);
  }
  const lines: string[] = [];
  let above = '';
  for (const [kind, own] of [...items].toSorted(([a], [b]) => a.localeCompare(b))) {
    const [top, list] = listOf(kind) as [string, string];
    if (top !== above) lines.push(`${top}:`);
    above = top;
    lines.push(`  ${list}:`, ...own);
  }
  return `${lines.join('\n')}\n`;
}

const DASH = '    - ';

/** A descriptor as an item of a list, with its own lines where they can be moved to the right. */
function itemText(text: string, document: Document.Parsed, path: readonly (string | number)[], value: unknown): string {
  const { node } = nodeIn(document, path) as { readonly node: Node };
  const from = node.range![0];
  const column = from - (text.lastIndexOf('\n', from - 1) + 1);
  const isFlow = 'flow' in node && node.flow === true;
  const margin = ' '.repeat(DASH.length);
  // An alias may stand for what is in another descriptor.
  if (isFlow || /(?:^|[\s[{,])[*&]\w/m.test(text)) return DASH + blockText(value, DASH.length, layoutOf(''));
  const lines = text.slice(from, endOf(node, from)).replace(/\n$/, '').split('\n');
  const moved = lines.map((line, i) => {
    if (i === 0) return DASH + line;
    const own = /^ */.exec(line)![0].length;
    return line.trim() === '' ? '' : margin + line.slice(Math.min(own, column));
  });
  return moved.join('\n');
}
