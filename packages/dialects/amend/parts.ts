import type { Format } from '../dialect.ts';
import { at, groupAt, isGroup, textOf } from '../groups.ts';
import type { Path } from '../yaml-text.ts';
import { plainName, spelledIn } from './align.ts';

/** A descriptor where it stands: files hold one, or several in lists or documents. */
export interface Part {
  readonly kind: string;
  /** By which it is the same descriptor in another writing of the service. */
  readonly id: string;
  readonly document: number;
  readonly path: Path;
  readonly value: unknown;
}

/** The descriptors of a file, whose documents have these values. */
export function partsOf(format: Format, documents: readonly unknown[], file: string): readonly Part[] {
  return documents.flatMap((value, document): readonly Part[] => {
    const place = (kind: string, id: unknown, path: Path): Part => ({
      kind,
      id: String(id ?? ''),
      document,
      path,
      value: at(value, ...path),
    });
    switch (format) {
      case 'kubernetes':
        return objectPaths(value).map((path) => place('object', objectId(at(value, ...path)), path));
      case 'sol006':
      case 'osm':
        return ['nsd', 'vnfd', 'pnfd'].flatMap((kind) =>
          etsiPaths(value, kind).map((path) => place(kind, field(at(value, ...path), 'id'), path)),
        );
      case 'osm8':
        return ['nsd', 'vnfd'].flatMap((kind) => {
          const path = spelledPath(value, [`${kind}-catalog`, kind]);
          const list = path === undefined ? undefined : at(value, ...path);
          return Array.isArray(list) ? list.map((item, i) => place(kind, field(item, 'id'), [...path!, i])) : [];
        });
      case 'rdcl':
        return rdclParts(value, file, place);
      case 'tosca':
        return [place(toscaKind(value), nodeType(value) ?? file, [])];
      case 'appd': {
        const key = ['appD', 'AppD', 'appd'].find((name) => isGroup(at(value, name)));
        return [place('appd', '', key === undefined ? [] : [key])];
      }
      default:
        return [place('template', '', [])];
    }
  });
}

const field = (item: unknown, name: string): unknown => {
  const spelled = isGroup(item) ? spelledIn(item, name) : undefined;
  return spelled === undefined ? undefined : at(item, spelled);
};

function spelledPath(value: unknown, path: readonly string[]): Path | undefined {
  const spelled: string[] = [];
  for (const name of path) {
    const inner = at(value, ...spelled);
    const own = isGroup(inner) ? spelledIn(inner, name) : undefined;
    if (own === undefined) return undefined;
    spelled.push(own);
  }
  return spelled;
}

/** Under `nfv` or alone, in a list or not, in a group of its own name or not. */
function etsiPaths(value: unknown, kind: string): readonly Path[] {
  const top = spelledPath(value, ['nfv']) ?? [];
  const root = at(value, ...top);
  const path = spelledPath(root, [kind, kind]) ?? spelledPath(root, [kind]);
  if (path === undefined) return [];
  const found = at(root, ...path);
  const all = [...top, ...path];
  return Array.isArray(found) ? found.map((_item, i) => [...all, i]) : [all];
}

function objectPaths(value: unknown): readonly Path[] {
  const items = textOf(at(value, 'kind'))?.endsWith('List') === true ? at(value, 'items') : undefined;
  return Array.isArray(items) ? items.map((_item, i) => ['items', i]) : [[]];
}

function objectId(value: unknown): string {
  const names = [at(value, 'kind'), at(value, 'metadata', 'namespace'), at(value, 'metadata', 'name')];
  return names.map((name) => textOf(name) ?? '').join(' ');
}

/** What a service template describes, by the types that are substituted and instantiated (SOL001, clauses 6.8 and 7.8). */
function toscaKind(value: unknown): string {
  const derived = textOf(at(value, 'node_types', nodeType(value) ?? '', 'derived_from'));
  const templates = Object.values(groupAt(value, 'topology_template', 'node_templates'));
  const types = [derived, ...templates.map((one) => textOf(at(one, 'type')))];
  if (types.some((type) => type?.endsWith('.nfv.NS') === true)) return 'NSD';
  const isVnfd = types.some((type) => type?.endsWith('.nfv.VNF') === true || type?.includes('.nfv.Vdu.') === true);
  return isVnfd ? 'VNFD' : 'template';
}

const nodeType = (value: unknown): string | undefined =>
  textOf(at(value, 'topology_template', 'substitution_mappings', 'node_type'));

function rdclParts(
  value: unknown,
  file: string,
  place: (kind: string, id: unknown, path: Path) => Part,
): readonly Part[] {
  const sorted = (path: Path): readonly Part[] => {
    const inner = at(value, ...path);
    const nsd = at(inner, 'nsdIdentifier');
    if (nsd !== undefined) return [place('nsd', nsd, path)];
    const vnfd = at(inner, 'vnfdId');
    return vnfd !== undefined && Array.isArray(at(inner, 'vdu')) ? [place('vnfd', vnfd, path)] : [];
  };
  const alone = sorted([]);
  if (alone.length > 0) return alone;
  if (file.endsWith('vertices.json')) return [place('vertices', '', [])];
  const inside = (kinds: readonly string[], of: (path: Path) => readonly Part[]) =>
    kinds.flatMap((kind) => {
      const group = at(value, kind);
      return isGroup(group) ? Object.keys(group).flatMap((name) => of([kind, name])) : [];
    });
  return [...inside(['nsd', 'vnfd'], sorted), ...inside(['click', 'k8s'], (path) => [place('nested', path[1], path)])];
}

/** What is told of a part that is nowhere in the text. */
export function called({ kind, id }: Pick<Part, 'kind' | 'id'>): string {
  return id === '' ? `the ${kind}` : `${kind} '${plainName(id).trim()}'`;
}
