import type { Edge } from '@xyflow/react';
import type { Point } from '../../view-model/layout.ts';
import { sizeOf } from '../core/arrange.ts';
import type { Difference } from '../core/compare.ts';
import type { Level, LevelEdge, LevelNode } from '../core/level.ts';
import { BODY, type DesignNode, spoken } from './nodes.tsx';

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
    return {
      ...old,
      id: node.id,
      type: typeOf(node),
      position,
      ...sizeOf(node),
      selected: isSelected,
      data: isSame ? old.data : { node, difference, found: isFound },
      ariaLabel: spoken(node, difference),
    };
  });
}

const CHAIN_COLOURS = 5;

export function flowEdges(level: Level, selected: ReadonlySet<string>): DesignEdge[] {
  return level.edges.map((edge): DesignEdge => {
    const { id, kind, source, target, sourcePort, targetPort, colour = 0, name } = edge;
    const chain = kind === 'chain';
    return {
      id,
      source,
      target,
      sourceHandle: chain ? BODY.out : (sourcePort ?? BODY.any),
      targetHandle: chain ? BODY.in : (targetPort ?? BODY.any),
      className: `sf-line sf-line--${kind}`,
      selected: selected.has(id),
      data: { edge },
      ariaLabel: chain ? `chain ${name}` : kind === 'link' ? `link ${name}` : name,
      ...(chain ? { style: { stroke: `var(--sf-chain-${colour % CHAIN_COLOURS})` }, zIndex: 2 } : {}),
    };
  });
}
