import { type NodeHandle, Position } from '@xyflow/react';
import { nodeSizes, sideOf, sizeOf } from '../core/arrange.ts';
import type { LevelNode, LevelPort } from '../core/level.ts';

/** Ids of the places of a node to which lines lead that belong to no port. */
export const BODY = {
  any: 'body',
  left: 'side-left',
  right: 'side-right',
  top: 'side-top',
  bottom: 'side-bottom',
} as const;

/** As the style sheet draws them. */
const CHIP = { height: 20, inset: 9, gap: 6, above: 4 } as const;

/** Where lines begin and end at a node, so that there are lines before anything is measured, and while it is dragged. */
export function handlesOf(node: LevelNode): NodeHandle[] {
  const { width, height } = sizeOf(node);
  const at = (id: string, x: number, y: number, position: Position): NodeHandle => ({
    id,
    type: 'source',
    position,
    x,
    y,
    width: 1,
    height: 1,
  });
  const sides = [
    at(BODY.left, 0, height / 2, Position.Left),
    at(BODY.right, width - 1, height / 2, Position.Right),
    at(BODY.top, width / 2, 0, Position.Top),
    at(BODY.bottom, width / 2, height - 1, Position.Bottom),
    node.kind === 'network'
      ? at(BODY.any, width / 2, 0, Position.Top)
      : at(BODY.any, width / 2, height - 1, Position.Bottom),
  ];
  const of = (side: 'in' | 'out' | undefined) => node.ports.filter(({ id }) => sideOf(id) === side);
  return [...sides, ...chips(of('in'), of(undefined), of('out'), width)];
}

function chips(
  ins: readonly LevelPort[],
  plain: readonly LevelPort[],
  outs: readonly LevelPort[],
  width: number,
): readonly NodeHandle[] {
  const rows = (ports: readonly LevelPort[]) => Math.ceil(ports.length / nodeSizes.portsPerRow);
  const chip = (width - 2 * CHIP.inset - CHIP.gap) / nodeSizes.portsPerRow;
  const under = rows(ins) * nodeSizes.portRow + nodeSizes.head;
  const groups = [
    [ins, CHIP.above, Position.Top],
    [plain, under, Position.Bottom],
    [outs, under + rows(plain) * nodeSizes.portRow, Position.Bottom],
  ] as const;
  return groups.flatMap(([ports, top, position]) =>
    ports.map(({ id }, i): NodeHandle => {
      const x = CHIP.inset + (i % nodeSizes.portsPerRow) * (chip + CHIP.gap);
      const y = top + Math.floor(i / nodeSizes.portsPerRow) * nodeSizes.portRow;
      return { id, type: 'source', position, x, y, width: chip, height: CHIP.height };
    }),
  );
}
