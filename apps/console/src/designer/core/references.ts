import type { Path } from '@superfluidity/dialects/languages';
import { splitPortReference } from '@superfluidity/model';
import { type Document, isMap, isScalar, isSeq, visit } from 'yaml';
import { listAt, removeAt, valueAt } from './yaml-edit.ts';

/** Fields that hold paths of units, or lists of them, wherever they stand. */
const FIELDS = new Set(['after', 'with', 'parent', 'from', 'to', 'through', 'unit', 'waypoints']);

/** Every reference that says `was` says `is`: `video` becomes `video/video` when the function gets a second unit. */
export function rewriteReferences(document: Document, rename: ReadonlyMap<string, string>): void {
  visit(document, {
    Pair(_key, pair) {
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      // The programs of others, and rules of ports, have fields of these names too.
      if (name === 'carried' || name === 'allow' || name === 'env') return visit.SKIP;
      if (typeof name !== 'string' || !FIELDS.has(name)) return undefined;
      const scalars = isSeq(pair.value) ? pair.value.items : [pair.value];
      for (const scalar of scalars) {
        if (!isScalar(scalar) || typeof scalar.value !== 'string') continue;
        const { path, port } = splitPortReference(scalar.value);
        const renamed = rename.get(path);
        if (renamed !== undefined) scalar.value = port === undefined ? renamed : `${renamed}.${port}`;
      }
      return undefined;
    },
  });
}

/**
 * Takes out what cannot be without the blocks at these paths: chains and balancers that begin or end there, hops, and the
 * order of starts. Policies stay: whoever wrote one has to say what it means now.
 */
export function dropReferences(document: Document, removed: readonly string[]): void {
  const gone = (reference: unknown): boolean => {
    if (typeof reference !== 'string') return false;
    const { path } = splitPortReference(reference);
    return removed.some((one) => path === one || path.startsWith(`${one}/`));
  };
  dropFrom(document, ['service', 'chains'], (chain) => gone(chain['from']) || gone(chain['to']));
  dropFrom(document, ['service', 'balancers'], (balancer) => gone(balancer['unit']));
  visit(document, {
    Pair(_key, pair) {
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      if (name === 'carried' || name === 'policies') return visit.SKIP;
      if (!isSeq(pair.value) || (name !== 'through' && name !== 'after' && name !== 'with')) return undefined;
      pair.value.items = pair.value.items.filter((item) => !(isScalar(item) && gone(item.value)));
      return pair.value.items.length === 0 ? visit.REMOVE : undefined;
    },
  });
}

type Fields = Readonly<Record<string, unknown>>;

export function dropFrom(document: Document, path: Path, isGone: (fields: Fields) => boolean): void {
  const list = listAt(document, path);
  for (let i = list.length - 1; i >= 0; i -= 1) if (isGone((list[i] ?? {}) as Fields)) removeAt(document, [...path, i]);
}

/** Links inside of a block that end at a child or a port that goes. */
export function dropLinks(document: Document, block: Path, isGone: (end: string) => boolean): void {
  const path = [...block, 'links'];
  const links = listAt(document, path) as readonly { readonly ends?: readonly string[] }[];
  for (let i = links.length - 1; i >= 0; i -= 1) {
    const ends = links[i]?.ends ?? [];
    const left = ends.filter((end) => !isGone(end));
    if (left.length === ends.length) continue;
    if (left.length < 2) removeAt(document, [...path, i]);
    else for (let j = ends.length - 1; j >= 0; j -= 1) if (isGone(ends[j]!)) document.deleteIn([...path, i, 'ends', j]);
  }
}

/** A function that was written as its only unit lists its units, so that there can be another. */
export function spread(document: Document, fn: Path): void {
  const fields = valueAt(document, fn) as Fields | undefined;
  if (fields === undefined || 'units' in fields) return;
  const node = document.getIn(fn, true);
  if (!isMap(node)) return;
  const moved = node.items.filter(({ key }) => isScalar(key) && key.value !== 'name' && key.value !== 'description');
  const unit = document.createNode({ name: fields['name'] });
  for (const pair of moved) {
    node.delete(pair.key);
    unit.items.push(pair as never);
  }
  node.flow = false;
  node.set('units', document.createNode([]));
  const units = node.get('units', true) as unknown as { items: unknown[]; flow?: boolean };
  units.items.push(unit);
  units.flow = false;
  rewriteReferences(
    document,
    new Map([[String(fields['name']), `${String(fields['name'])}/${String(fields['name'])}`]]),
  );
}
