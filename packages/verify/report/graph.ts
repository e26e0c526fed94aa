import type { ShownPath } from '../engine/path.ts';

/** Paths in one drawing; beyond that nobody can read it. */
const PATHS_MAX = 500;

interface Edge {
  readonly from: string;
  readonly to: string;
  paths: number;
}

function edges(paths: readonly ShownPath[]): readonly Edge[] {
  const found = new Map<string, Edge>();
  for (const path of paths.slice(0, PATHS_MAX)) {
    const stations = [...path.hops.map((hop) => hop.port), ...(path.outcome === 'delivered' ? [] : [ending(path)])];
    for (let i = 1; i < stations.length; i += 1) {
      const [from, to] = [stations[i - 1]!, stations[i]!];
      const key = `${from}\n${to}`;
      const edge = found.get(key);
      if (edge === undefined) found.set(key, { from, to, paths: 1 });
      else edge.paths += 1;
    }
  }
  return [...found.values()];
}

function ending(path: ShownPath): string {
  return path.why === undefined ? path.outcome : `${path.outcome}: ${path.why}`;
}

/** Graphviz: the ports that the paths go through, with the number of paths on each edge. */
export function dot(paths: readonly ShownPath[]): string {
  const quote = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', ' ')}"`;
  const lines = edges(paths).map((edge) => `  ${quote(edge.from)} -> ${quote(edge.to)} [label="${edge.paths}"];`);
  return ['digraph paths {', '  rankdir=LR; node [shape=box, fontname="sans-serif"];', ...lines, '}', ''].join('\n');
}

/** The same for Mermaid. */
export function mermaid(paths: readonly ShownPath[]): string {
  const names = new Map<string, string>();
  const node = (port: string) => {
    const known = names.get(port);
    if (known !== undefined) return known;
    const name = `n${names.size}`;
    names.set(port, name);
    return `${name}["${port.replaceAll('"', '#quot;').replaceAll('\n', ' ')}"]`;
  };
  const lines = edges(paths).map((edge) => `  ${node(edge.from)} -->|${edge.paths}| ${node(edge.to)}`);
  return ['flowchart LR', ...lines, ''].join('\n');
}
