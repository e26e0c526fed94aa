import { smallest } from '@superfluidity/core';
import type { Box, Point } from '../../view-model/layout.ts';
import type { Level, LevelNode } from './level.ts';

/** Sizes of what is drawn, which the style sheet follows. */
export const nodeSizes = {
  width: 196,
  head: 50,
  portRow: 24,
  portsPerRow: 2,
  foot: 8,
  network: { width: 170, height: 44 },
  port: { width: 110, height: 36 },
  gap: { x: 56, y: 56 },
} as const;

/** Ports of elements have sides: packets come in above and leave below. */
export const sideOf = (port: string): 'in' | 'out' | undefined =>
  /^in\d+$/.test(port) ? 'in' : /^out\d+$/.test(port) ? 'out' : undefined;

export function sizeOf(node: LevelNode): { readonly width: number; readonly height: number } {
  if (node.kind === 'network') return nodeSizes.network;
  if (node.kind === 'port') return nodeSizes.port;
  const sides = Map.groupBy(node.ports, ({ id }) => sideOf(id));
  const rows = [...sides.values()].reduce((sum, ports) => sum + Math.ceil(ports.length / nodeSizes.portsPerRow), 0);
  return {
    width: nodeSizes.width,
    height: nodeSizes.head + rows * nodeSizes.portRow + (rows > 0 ? nodeSizes.foot : 0),
  };
}

/**
 * Blocks in rows, in the order in which chains lead through them; networks under the row where the blocks are that are on
 * them. Takes time in proportion to what there is, and gives the same for the same level.
 */
export function arrange({ nodes, edges }: Level): ReadonlyMap<string, Point> {
  const blocks = inOrder(nodes, edges);
  const columns = blocks.length <= 4 ? Math.max(1, blocks.length) : Math.ceil(Math.sqrt(blocks.length));
  const step = nodeSizes.width + nodeSizes.gap.x;
  const rowOf = new Map(blocks.map((node, i) => [node.id, Math.floor(i / columns)]));
  const last = Math.max(0, Math.ceil(blocks.length / columns) - 1);
  const attached = Map.groupBy(
    edges.filter(({ kind }) => kind === 'attached'),
    ({ target }) => target,
  );
  const isChained = edges.some(({ kind }) => kind === 'chain');
  const places = new Map<string, Point>();
  const networks = Map.groupBy(
    nodes.filter(({ kind }) => kind === 'network'),
    ({ id }) => {
      const rows = (attached.get(id) ?? []).map(({ source }) => rowOf.get(source) ?? last);
      return rows.length === 0 ? last : Math.floor(rows.reduce((sum, row) => sum + row, 0) / rows.length);
    },
  );
  let y = 0;
  for (let row = 0; row <= last; row += 1) {
    const here = blocks.slice(row * columns, (row + 1) * columns);
    // Where chains lead through, every second row goes backwards, so that they go on below.
    const isBack = isChained && row % 2 === 1;
    here.forEach((node, i) => places.set(node.id, { x: (isBack ? columns - 1 - i : i) * step, y }));
    y += Math.max(0, ...here.map((node) => sizeOf(node).height)) + nodeSizes.gap.y;
    const wanted = (networks.get(row) ?? []).map((network, i) => {
      const xs = (attached.get(network.id) ?? []).flatMap(({ source }) => places.get(source)?.x ?? []);
      const middle = xs.length === 0 ? i * step : xs.reduce((sum, x) => sum + x, 0) / xs.length;
      return { id: network.id, x: middle + (nodeSizes.width - nodeSizes.network.width) / 2 };
    });
    y = placeNetworks(wanted, places, y, Math.max(3, columns) * step);
  }
  return places;
}

/** Beside each other, in as many lines as they need. Returns where the next row begins. */
function placeNetworks(
  wanted: readonly { readonly id: string; readonly x: number }[],
  places: Map<string, Point>,
  top: number,
  width: number,
): number {
  if (wanted.length === 0) return top;
  const line = nodeSizes.network.height + 24;
  let right = -Infinity;
  let y = top;
  for (const { id, x } of wanted.toSorted((a, b) => a.x - b.x)) {
    let left = Math.max(x, right);
    if (left > width) {
      y += line;
      left = 0;
    }
    places.set(id, { x: left, y });
    right = left + nodeSizes.network.width + 40;
  }
  return y + nodeSizes.network.height + nodeSizes.gap.y;
}

function inOrder(nodes: readonly LevelNode[], edges: Level['edges']): readonly LevelNode[] {
  const blocks = nodes.filter(({ kind }) => kind !== 'network');
  const rank = new Map<string, number>();
  const chained = edges.filter(({ kind }) => kind === 'chain');
  for (const { source, target } of chained)
    for (const id of [source, target]) if (!rank.has(id)) rank.set(id, rank.size);
  return blocks
    .map((node, i) => ({ node, at: rank.get(node.id) ?? blocks.length + i }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ node }) => node);
}

export type Alignment = 'left' | 'top' | 'row' | 'column';

/** Selected things brought into line: at the leftmost or the topmost of them, or spread evenly in a row or a column. */
export function aligned(boxes: ReadonlyMap<string, Box>, how: Alignment): ReadonlyMap<string, Point> {
  const all = [...boxes];
  if (all.length < 2) return new Map(all.map(([id, { x, y }]) => [id, { x, y }]));
  const left = smallest(all.map(([, { x }]) => x));
  const top = smallest(all.map(([, { y }]) => y));
  if (how === 'left') return new Map(all.map(([id, { y }]) => [id, { x: left, y }]));
  if (how === 'top') return new Map(all.map(([id, { x }]) => [id, { x, y: top }]));
  const across = how === 'row';
  const sorted = all.toSorted(([, a], [, b]) => (across ? a.x - b.x : a.y - b.y));
  let at = across ? left : top;
  return new Map(
    sorted.map(([id, box]) => {
      const place = across ? { x: at, y: top } : { x: left, y: at };
      at += (across ? box.width : box.height) + (across ? nodeSizes.gap.x : nodeSizes.gap.y / 2);
      return [id, place];
    }),
  );
}
