import type { Box, Point } from '../../view-model/layout.ts';
import { type Layer, type LayerGraph, type LayerNode, layerOf, layers, type NodeKind, rows } from './layer-graph.ts';

export interface LayerLayout {
  readonly boxes: ReadonlyMap<string, Box>;
  readonly bands: readonly { readonly layer: Layer; readonly y: number; readonly height: number }[];
  readonly width: number;
  readonly height: number;
}

export const LAYER_SIZES = {
  width: 150,
  height: 44,
  gap: 14,
  rowGap: 20,
  columnGap: 46,
  bandGap: 16,
  bandTop: 30,
  margin: 20,
} as const;
/** Nodes of one kind and site that stand side by side. */
const ABREAST = 4;

/** Sites are columns, kinds are rows, layers are bands; what belongs to no site stands where its neighbours are. */
export function layoutLayers(graph: LayerGraph, shown: readonly Layer[]): LayerLayout {
  const { width, height, gap, rowGap, columnGap, bandGap, bandTop, margin } = LAYER_SIZES;
  const visible = graph.nodes.filter((node) => shown.includes(layerOf(node)));
  const byRow = Map.groupBy(visible, ({ kind }) => kind);
  const columns = columnsOf(
    graph.nodes.flatMap(({ kind, name }) => (kind === 'site' ? [name] : [])),
    visible,
  );
  const boxes = new Map<string, Box>();
  const bands: { layer: Layer; y: number; height: number }[] = [];
  const fullWidth = [...columns.values()].reduce(
    (most, { x, width: wide }) => Math.max(most, x + wide),
    4 * (width + gap),
  );
  let y = margin;
  for (const layer of layers) {
    if (!shown.includes(layer)) continue;
    const top = y;
    y += bandTop;
    for (const kind of kindsOf(layer)) {
      const nodes = byRow.get(kind);
      if (nodes === undefined) continue;
      const [placed, lines] =
        nodes[0]!.site === undefined ? spread(nodes, graph, boxes, fullWidth) : inColumns(nodes, columns);
      for (const [id, { x, y: line }] of placed) boxes.set(id, { x, y: y + line * (height + gap), width, height });
      y += lines * (height + gap) - gap + rowGap;
    }
    bands.push({ layer, y: top, height: y - top });
    y += bandGap;
  }
  return { boxes, bands, width: fullWidth + columnGap + margin, height: y - bandGap + margin };
}

const kindsOf = (layer: Layer): readonly NodeKind[] =>
  (Object.keys(rows) as NodeKind[]).filter((kind) => rows[kind] === layer);

interface Column {
  readonly x: number;
  readonly width: number;
}

/** In the order of the sites, whatever of them is shown: users left, the core right. */
function columnsOf(order: readonly string[], nodes: readonly LayerNode[]): ReadonlyMap<string, Column> {
  const { width, gap, columnGap, margin } = LAYER_SIZES;
  const columns = new Map<string, Column>();
  const bySite = Map.groupBy(
    nodes.filter(({ site }) => site !== undefined),
    ({ site }) => site!,
  );
  let x = margin + columnGap;
  for (const site of new Set([...order, ...bySite.keys()])) {
    const here = bySite.get(site);
    if (here === undefined) continue;
    const most = [...Map.groupBy(here, ({ kind }) => kind).values()].reduce(
      (max, same) => Math.max(max, same.length),
      1,
    );
    const wide = Math.min(most, ABREAST) * (width + gap) - gap;
    columns.set(site, { x, width: wide });
    x += wide + columnGap;
  }
  return columns;
}

/** `y` counts lines. */
type Places = readonly [placed: ReadonlyMap<string, Point>, lines: number];

function inColumns(nodes: readonly LayerNode[], columns: ReadonlyMap<string, Column>): Places {
  const { width, gap } = LAYER_SIZES;
  const placed = new Map<string, Point>();
  let lines = 1;
  for (const [site, same] of Map.groupBy(nodes, (node) => node.site!)) {
    const column = columns.get(site)!;
    for (const [i, { id }] of same.entries()) {
      const line = Math.floor(i / ABREAST);
      const inLine = Math.min(ABREAST, same.length - line * ABREAST);
      const left = column.x + (column.width - (inLine * (width + gap) - gap)) / 2;
      placed.set(id, { x: left + (i % ABREAST) * (width + gap), y: line });
      lines = Math.max(lines, line + 1);
    }
  }
  return [placed, lines];
}

/** Near the middle of what they are connected with, and not one over the other; with a new line where one is full. */
function spread(
  nodes: readonly LayerNode[],
  graph: LayerGraph,
  boxes: ReadonlyMap<string, Box>,
  fullWidth: number,
): Places {
  const { width, gap, margin, columnGap } = LAYER_SIZES;
  const perLine = Math.max(1, Math.floor((fullWidth - margin - columnGap + gap) / (width + gap)));
  const middle = new Map(nodes.map(({ id }) => [id, middleOf(id, graph, boxes) ?? fullWidth / 2]));
  const placed = new Map<string, Point>();
  let line = 0;
  for (let from = 0; from < nodes.length; from += perLine, line += 1) {
    const here = nodes.slice(from, from + perLine).toSorted((a, b) => middle.get(a.id)! - middle.get(b.id)!);
    let free = margin + columnGap;
    for (const [i, { id }] of here.entries()) {
      const room = fullWidth - (here.length - i) * (width + gap) + gap;
      const x = Math.max(free, Math.min(room, middle.get(id)! - width / 2));
      placed.set(id, { x, y: line });
      free = x + width + gap;
    }
  }
  return [placed, line];
}

function middleOf(id: string, graph: LayerGraph, boxes: ReadonlyMap<string, Box>): number | undefined {
  let [sum, count] = [0, 0];
  for (const { from, to } of graph.edges) {
    const other = from === id ? to : to === id ? from : undefined;
    const box = other === undefined ? undefined : boxes.get(other);
    if (box === undefined) continue;
    sum += box.x + box.width / 2;
    count += 1;
  }
  return count === 0 ? undefined : sum / count;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The nearest node in a direction, so that arrow keys go from one to the next. */
export function neighbour(boxes: ReadonlyMap<string, Box>, from: string, direction: Direction): string | undefined {
  const here = boxes.get(from);
  if (here === undefined) return undefined;
  const sideways = direction === 'left' || direction === 'right';
  const sign = direction === 'left' || direction === 'up' ? -1 : 1;
  let best: { readonly id: string; readonly cost: number } | undefined;
  for (const [id, box] of boxes) {
    const ahead = sign * (sideways ? box.x - here.x : box.y - here.y);
    const aside = Math.abs(sideways ? box.y - here.y : box.x - here.x);
    if (ahead <= 0) continue;
    const cost = ahead + (sideways ? 4 : 1) * aside;
    if (best === undefined || cost < best.cost) best = { id, cost };
  }
  return best?.id;
}
