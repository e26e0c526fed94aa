import type { Point } from '../../view-model/layout.ts';
import { layoutByElkWithin } from '../../ui/elk.ts';
import { sizeOf } from '../core/arrange.ts';
import type { Level } from '../core/level.ts';
import { designLimits } from '../core/limits.ts';

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.layered.spacing.nodeNodeBetweenLayers': '48',
  'elk.spacing.nodeNode': '28',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
};

/** Where ELK puts what a level has: from top to bottom, as links and chains lead. It rejects what takes too long. */
export async function layoutLevel({ nodes, edges }: Level): Promise<ReadonlyMap<string, Point>> {
  const root = await layoutByElkWithin(
    {
      id: 'root',
      layoutOptions: OPTIONS,
      children: nodes.map((node) => ({ id: node.id, ...sizeOf(node) })),
      edges: edges.map(({ id, source, target }) => ({ id, sources: [source], targets: [target] })),
    },
    designLimits.layoutMs,
  );
  return new Map((root.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}
