import type { Path } from '../yaml/tree.ts';

/**
 * What a text stands for, by its path in a descriptor:
 * - `network`, `chain`: the name of one.
 * - `unit`: path of a unit, in chains with a port. `block`: of a function or unit. `place`: also a network.
 * - `end`: of a link: a port of the block, or `child.port`.
 * - `formula`: places stand in it.
 */
export type Role = 'network' | 'chain' | 'unit' | 'hop' | 'block' | 'place' | 'end' | 'formula';

const SERVICE_LISTS = new Set(['chains', 'balancers', 'policies', 'networks']);
/** Inside of these, texts are nobody's names. */
const FREE = new Set(['carried', 'env', 'command', 'allow']);

export function roleAt(path: Path): Role | undefined {
  if (path[0] !== 'service' || path.some((step) => FREE.has(step as string))) return undefined;
  const [last, above, further] = [path.at(-1), path.at(-2), path.at(-3)];
  const list = path[1] as string;
  if (SERVICE_LISTS.has(list)) {
    const [, , , field, inner] = path;
    if (list === 'chains') return field === 'from' || field === 'to' || field === 'through' ? 'hop' : undefined;
    if (list === 'balancers') return field === 'unit' ? 'unit' : undefined;
    if (list !== 'policies') return undefined;
    if (inner === 'from' || inner === 'to' || inner === 'waypoints') return 'place';
    if (field === 'through' && inner === 'chain') return 'chain';
    return field === 'check' && inner === 'formula' ? 'formula' : undefined;
  }
  if (above === 'ports' && typeof last === 'number') return 'network';
  if (last === 'network' && further === 'ports') return 'network';
  if (above === 'after' && further === 'requirements') return 'unit';
  if (above === 'with' && path.at(-4) === 'affinity') return 'block';
  if (last === 'parent' && above === 'nested') return 'unit';
  if (above === 'ends' && path.at(-4) === 'links') return 'end';
  return undefined;
}

const kinds: Readonly<Record<string, string>> = {
  functions: 'function',
  units: 'unit',
  elements: 'element',
  ports: 'port',
  links: 'link',
  networks: 'network',
  chains: 'chain',
  balancers: 'balancer',
  policies: 'policy',
};

/** What is given its name at a path: the `name` of an item of one of the lists. */
export function definedAt(path: Path): string | undefined {
  if (path.at(-1) !== 'name' || typeof path.at(-2) !== 'number' || path[0] !== 'service') return undefined;
  if (path.some((step) => FREE.has(step as string))) return undefined;
  return kinds[path.at(-3) as string];
}
