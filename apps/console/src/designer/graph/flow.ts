import type { Edge } from '@xyflow/react';
import type { Point } from '../../view-model/layout.ts';
import { sideOf, sizeOf } from '../core/arrange.ts';
import type { Difference } from '../core/compare.ts';
import type { Level, LevelEdge, LevelNode } from '../core/level.ts';
import { BODY, handlesOf } from './handles.ts';
import { type DesignNode, spoken } from './nodes.tsx';

export type DesignEdge = Edge<{ readonly edge: LevelEdge }>;

const typeOf = ({ kind }: LevelNode): 'block' | 'network' | 'border' =>
  kind === 'network' ? 'network' : kind === 'port' ? 'border' : 'block';

export interface Marking {
  readonly differences: ReadonlyMap<string, Difference>;
  readonly found: ReadonlySet<string>;
}

/** The key under which a comparison of two versions speaks of a node. */
export function differenceOf(
  level: Level,
  node: LevelNode,
  differences: Marking['differences'],
): Difference | undefined {
  if (node.kind === 'network') return differences.get(`net:${node.name}`);
  if (node.kind === 'port') return undefined;
  return differences.get(`block:${level.open.path === '' ? '' : `${level.open.path}/`}${node.name}`);
}

/** Nodes as xyflow takes them. What has not changed is the same object, and is not drawn anew. */
export function flowNodes(
  level: Level,
  places: ReadonlyMap<string, Point>,
  selected: ReadonlySet<string>,
  { differences, found }: Marking,
  before: readonly DesignNode[],
): DesignNode[] {
  const known = new Map(before.map((one) => [one.id, one]));
  return level.nodes.map((node) => {
    const old = known.get(node.id);
    const difference = differenceOf(level, node, differences);
    const isFound = found.has(node.id);
    const isLike = old !== undefined && JSON.stringify(old.data.node) === JSON.stringify(node);
    const isSame = isLike && old.data.difference === difference && old.data.found === isFound;
    const position = places.get(node.id) ?? { x: 0, y: 0 };
    const isSelected = selected.has(node.id);
    if (isSame && old.selected === isSelected && old.position.x === position.x && old.position.y === position.y)
      return old;
    const size = sizeOf(node);
    return {
      ...old,
      id: node.id,
      type: typeOf(node),
      // Whatever moves it, the graph does not move with it.
      className: 'nopan',
      position,
      ...size,
      measured: size,
      handles: isLike ? old.handles! : handlesOf(node),
      selected: isSelected,
      data: isSame ? old.data : { node, difference, found: isFound },
      ariaLabel: spoken(node, difference),
    };
  });
}

const CHAIN_COLOURS = 5;
/** Things that are this much higher or lower are not in one row. */
const ROW = 40;

/** Lines leave a thing on the side on which the other lies, so that they do not run behind it. */
export function flowEdges(
  level: Level,
  places: ReadonlyMap<string, Point>,
  selected: ReadonlySet<string>,
): DesignEdge[] {
  const kinds = new Map(level.nodes.map(({ id, kind }) => [id, kind]));
  return level.edges.map((edge): DesignEdge => {
    const { id, kind, source, target, sourcePort, targetPort, colour = 0, name } = edge;
    const [a, b] = [places.get(source) ?? ORIGIN, places.get(target) ?? ORIGIN];
    const chain = kind === 'chain';
    const handle = (node: string, port: string | undefined, here: Point, there: Point): string => {
      if (chain) return acrossSide(here, there);
      if (port !== undefined && sideOf(port) !== undefined) return port;
      if (there.y < here.y) return BODY.top;
      return port ?? (kinds.get(node) === 'network' ? BODY.bottom : BODY.any);
    };
    return {
      id,
      source,
      target,
      sourceHandle: handle(source, sourcePort, a, b),
      targetHandle: handle(target, targetPort, b, a),
      className: `sf-line sf-line--${kind}`,
      selected: selected.has(id),
      data: { edge },
      ariaLabel: chain ? `chain ${name}` : kind === 'link' ? `link ${name}` : name,
      ...(chain ? { style: { stroke: `var(--sf-chain-${colour % CHAIN_COLOURS})` } } : {}),
    };
  });
}

const ORIGIN: Point = { x: 0, y: 0 };

function acrossSide(here: Point, there: Point): string {
  if (Math.abs(there.y - here.y) > ROW) return there.y > here.y ? BODY.bottom : BODY.top;
  return there.x > here.x ? BODY.right : BODY.left;
}
