import type { SiteLink } from '@superfluidity/api';
import type { LayerEdge, LayerNode } from './layer-graph.ts';

export const linkId = ({ a, b }: Pick<SiteLink, 'a' | 'b'>): string => `link:${[a, b].toSorted().join('~')}`;

export const portId = (unit: string, port: string): string => `port:${unit}.${port}`;

/** Collects nodes, and what they stand on. */
export class GraphMaker {
  readonly nodes: LayerNode[] = [];
  readonly edges: LayerEdge[] = [];
  readonly standsOn = new Map<string, Set<string>>();
  readonly touches = new Map<string, Set<string>>();
  readonly #known = new Set<string>();

  has(id: string): boolean {
    return this.#known.has(id);
  }

  add(node: LayerNode): void {
    if (this.#known.has(node.id)) return;
    this.#known.add(node.id);
    this.nodes.push(node);
  }

  /** What is not drawn is not stood on. `unseen`: without a line. */
  stand(upper: string, lower: string, line: 'line' | 'unseen' = 'line'): void {
    if (!this.has(upper) || !this.has(lower)) return;
    note(this.standsOn, upper, lower);
    if (line === 'line') this.edges.push({ from: upper, to: lower });
  }

  touch(a: string, b: string): void {
    if (!this.has(a) || !this.has(b)) return;
    note(this.touches, a, b);
    note(this.touches, b, a);
    this.edges.push({ from: a, to: b });
  }
}

function note(map: Map<string, Set<string>>, from: string, to: string): void {
  const known = map.get(from);
  if (known === undefined) map.set(from, new Set([to]));
  else known.add(to);
}
