import type { Box, Point } from './layout.ts';

/** The path of a chain over the boxes of its hops, as SVG. Chains that share hops run side by side in lanes. */
export interface ChainSegment {
  readonly d: string;
  readonly from: Point;
  readonly to: Point;
}

const LANE_GAP = 9;
/** Where one box is this much further right than another ends, the path goes from side to side. */
const SIDEWAYS_GAP = 6;

export function chainSegments(hops: readonly Box[], lane: number, lanes: number): readonly ChainSegment[] {
  const offset = (lane - (lanes - 1) / 2) * LANE_GAP;
  return hops.slice(1).map((to, i) => segment(hops[i]!, to, offset));
}

function segment(a: Box, b: Box, offset: number): ChainSegment {
  const middleA = { x: a.x + a.width / 2, y: a.y + a.height / 2 };
  const middleB = { x: b.x + b.width / 2, y: b.y + b.height / 2 };
  if (b.x >= a.x + a.width + SIDEWAYS_GAP) {
    return curve({ x: a.x + a.width, y: middleA.y + offset }, { x: b.x, y: middleB.y + offset }, 'x');
  }
  if (a.x >= b.x + b.width + SIDEWAYS_GAP && Math.abs(middleA.y - middleB.y) < a.height) {
    return curve({ x: a.x, y: middleA.y + offset }, { x: b.x + b.width, y: middleB.y + offset }, 'x');
  }
  return middleB.y >= middleA.y
    ? curve({ x: middleA.x + offset, y: a.y + a.height }, { x: middleB.x + offset, y: b.y }, 'y')
    : curve({ x: middleA.x + offset, y: a.y }, { x: middleB.x + offset, y: b.y + b.height }, 'y');
}

/** A cubic that leaves and arrives along one axis. */
function curve(from: Point, to: Point, axis: 'x' | 'y'): ChainSegment {
  const bend = (axis === 'x' ? to.x - from.x : to.y - from.y) / 2;
  const [c1, c2] =
    axis === 'x'
      ? [
          { x: from.x + bend, y: from.y },
          { x: to.x - bend, y: to.y },
        ]
      : [
          { x: from.x, y: from.y + bend },
          { x: to.x, y: to.y - bend },
        ];
  return { from, to, d: `M${xy(from)}C${xy(c1)} ${xy(c2)} ${xy(to)}` };
}

const xy = (point: Point): string => `${point.x.toFixed(1)},${point.y.toFixed(1)}`;
