import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { isGroup } from '../groups.ts';
import { yamlTrees } from '../yaml-nodes.ts';
import { AUGMENTATION } from './mapping.ts';
import { kindOf } from './xml.ts';

const ETSI = 'urn:etsi:nfv:yang:';
const MODULE = 'etsi-nfv-descriptors';

/** URI of the namespace of a YANG module. */
const namespaceOf = (module: string): string =>
  module === AUGMENTATION ? `urn:superfluidity:yang:${AUGMENTATION}` : ETSI + module;

/** What is known where an element is written: the prefixes there, and the one that its neighbours have. */
export interface XmlScope {
  readonly prefix: string;
  readonly prefixes: Readonly<Record<string, string>>;
  /** White space by which what lies in an element is moved to the right. */
  readonly indent: string;
}

/** The same files in the XML encoding of the modules (RFC 7950, clause 7); those that are no descriptors stay as they are. */
export function xmlFiles(files: readonly DescriptorFile[], lose: Lose): readonly DescriptorFile[] {
  return files.map((file) => {
    const value: unknown = yamlTrees(new TextDecoder().decode(file.bytes))?.[0]?.toJS();
    const nfv = isGroup(value) ? (value[`${MODULE}:nfv`] ?? value['nfv']) : undefined;
    if (!isGroup(nfv)) return file;
    const scope: XmlScope = {
      prefix: '',
      prefixes: { '': namespaceOf(MODULE), nfv: namespaceOf(MODULE) },
      indent: '  ',
    };
    const lines = inner(nfv, ['nfv'], '  ', scope);
    if (isUnsaid(nfv)) lose('', 'white space around a text, and characters that XML does not have');
    const text = `<nfv xmlns="${namespaceOf(MODULE)}" xmlns:nfv="${namespaceOf(MODULE)}">\n${lines.join('\n')}\n</nfv>\n`;
    return { path: file.path.replace(/\.ya?ml$/, '.xml'), bytes: new TextEncoder().encode(text) };
  });
}

// oxlint-disable-next-line no-control-regex -- these are the characters that XML 1.0 excludes (production 2)
const EXCLUDED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/** Whether a text in it is another one when it is read from XML. */
function isUnsaid(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== value || value.search(EXCLUDED) !== -1;
  return value !== null && typeof value === 'object' && Object.values(value).some(isUnsaid);
}

/** A field as elements, each with its lines; a list is one element for each item. `path` has the names of those around it. */
export function xmlElements(
  field: string,
  value: unknown,
  path: readonly string[],
  margin: string,
  scope: XmlScope,
): readonly string[] {
  const [, module, name = field] = /^([\w.-]+):(.*)$/.exec(field) ?? [];
  const here = [...path, name];
  // A leaf of type `empty` is `[null]` in JSON (RFC 7951, clause 6.9).
  const items = Array.isArray(value) && !(value.length === 1 && value[0] === null) ? value : [value];
  return items.map((item: unknown) => {
    const own = module === AUGMENTATION ? ` xmlns="${namespaceOf(AUGMENTATION)}"` : '';
    const inside: XmlScope =
      own === '' ? scope : { ...scope, prefix: '', prefixes: { ...scope.prefixes, '': namespaceOf(AUGMENTATION) } };
    const tag = inside.prefix === '' ? name : `${inside.prefix}:${name}`;
    if (isGroup(item)) {
      const lines = inner(item, here, margin + scope.indent, inside);
      return lines.length === 0
        ? `${margin}<${tag}${own}/>`
        : `${margin}<${tag}${own}>\n${lines.join('\n')}\n${margin}</${tag}>`;
    }
    const { text, declared } = leafText(item, here, inside);
    return text === '' ? `${margin}<${tag}${own}${declared}/>` : `${margin}<${tag}${own}${declared}>${text}</${tag}>`;
  });
}

function inner(group: object, path: readonly string[], margin: string, scope: XmlScope): readonly string[] {
  return Object.entries(group).flatMap(([name, value]) =>
    value === undefined ? [] : xmlElements(name, value, path, margin, scope),
  );
}

/** A plain value as text, with the declaration that it needs: an identity has the prefix of its module (RFC 7950, 9.10.3). */
export function leafText(
  value: unknown,
  path: readonly string[],
  { prefixes }: Pick<XmlScope, 'prefixes'>,
): { readonly text: string; readonly declared: string } {
  const text = value === null || Array.isArray(value) ? '' : escaped(String(value));
  const [, module, name] = /^([\w.-]+):([\w.-]+)$/.exec(text) ?? [];
  if (module === undefined || kindOf(path)?.startsWith('identityref') !== true) return { text, declared: '' };
  const isOf = (uri: string) => uri.slice(uri.lastIndexOf(':') + 1) === module;
  const known = Object.keys(prefixes).find((prefix) => prefix !== '' && isOf(prefixes[prefix]!));
  if (known !== undefined) return { text: `${known}:${name}`, declared: '' };
  return { text, declared: ` xmlns:${module}="${namespaceOf(module)}"` };
}

export const escaped = (text: string): string =>
  text
    .replaceAll(EXCLUDED, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    // Else a reader takes it for the end of a line (XML 1.0, clause 2.11).
    .replaceAll('\r', '&#13;');
