import type { ElkNode } from 'elkjs/lib/elk-api.js';
import { elkStarted, layoutByElk } from '../ui/elk.ts';
import type { Box } from '../view-model/layout.ts';
import type { StepGraph } from '../view-model/step-graph.ts';

/** Step graphs are layered by ELK, in a worker that starts when there is the first one to draw. */
const STEP_HEIGHT = 34;
/** Per character of the longest title, which decides the width of all, and for icon and duration beside it. */
const WIDTH = { perCharacter: 6.6, aside: 96, min: 190, max: 300 } as const;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '40',
  'elk.spacing.nodeNode': '8',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
};

/** The worker is 1.6 MB of code: what people see first comes before it. */
const IDLE_WITHIN_MS = 1_000;
const whenIdle = () =>
  new Promise<void>((resolve) => requestIdleCallback(() => resolve(), { timeout: IDLE_WITHIN_MS }));

export interface StepLayout {
  readonly shape: string;
  readonly boxes: ReadonlyMap<string, Box>;
  readonly width: number;
  readonly height: number;
}

const KEPT_MAX = 16;
const kept = new Map<string, Promise<StepLayout>>();

export function layoutSteps(graph: StepGraph): Promise<StepLayout> {
  const known = kept.get(graph.shape);
  if (known !== undefined) return known;
  const laidOut = compute(graph);
  kept.set(graph.shape, laidOut);
  if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
  laidOut.catch(() => kept.delete(graph.shape));
  return laidOut;
}

async function compute(graph: StepGraph): Promise<StepLayout> {
  if (!elkStarted()) await whenIdle();
  const longest = Math.max(0, ...graph.nodes.map((node) => node.title.length));
  const width = Math.min(WIDTH.max, Math.max(WIDTH.min, longest * WIDTH.perCharacter + WIDTH.aside));
  const size = { width, height: STEP_HEIGHT };
  const request: ElkNode = {
    id: 'root',
    layoutOptions: OPTIONS,
    children: graph.nodes.map((node) => ({ id: node.id, ...size })),
    edges: graph.edges.map((edge) => ({ id: edge.id, sources: [edge.source], targets: [edge.target] })),
  };
  const root: ElkNode = await layoutByElk(request);
  const boxes = new Map<string, Box>();
  for (const child of root.children ?? []) boxes.set(child.id, { x: child.x ?? 0, y: child.y ?? 0, ...size });
  return { shape: graph.shape, boxes, width: root.width ?? 0, height: root.height ?? 0 };
}
