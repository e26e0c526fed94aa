import '@xyflow/react/dist/style.css';
import './steps.css';
import {
  BaseEdge,
  type Edge,
  type EdgeProps,
  getBezierPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useNow } from '../data/clock.ts';
import { StateIcon } from '../ui/state-icon.tsx';
import { formatMs } from '../view-model/format.ts';
import { stepDurationMs, type StepGraph, type StepNode } from '../view-model/step-graph.ts';
import { layoutSteps, type StepLayout } from './layout-steps.ts';

type StepFlowNode = Node<
  {
    readonly step: StepNode;
    readonly now: number;
    readonly selected: boolean;
    readonly onSelect: (id: string) => void;
  },
  'step'
>;
type StepFlowEdge = Edge<{ readonly state: string }, 'step'>;

interface StepGraphViewProps {
  readonly graph: StepGraph;
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
}

export default function StepGraphView(props: StepGraphViewProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas({ graph, selected, onSelect }: StepGraphViewProps) {
  const layout = useStepLayout(graph);
  const moving = graph.nodes.some((node) => node.state === 'running' || node.state === 'undoing');
  const now = useNow(200, moving);
  const canvas = useRef<HTMLDivElement>(null);
  const touched = useRef(false);
  const { setViewport } = useReactFlow();

  useEffect(() => {
    const element = canvas.current;
    if (layout === undefined || element === null) return;
    touched.current = false;
    const fit = () => {
      if (!touched.current) void setViewport(fitted(layout, element.clientWidth, element.clientHeight));
    };
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => observer.disconnect();
  }, [layout, setViewport]);

  const { nodes, edges } = useMemo(
    () => (layout === undefined ? NOTHING : drawn(graph, layout, { now, selected, onSelect })),
    [graph, layout, now, selected, onSelect],
  );
  return (
    <div className="sf-steps" ref={canvas} role="group" aria-label="Steps of the operation">
      <ReactFlow<StepFlowNode, StepFlowEdge>
        id="steps"
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        minZoom={0.2}
        maxZoom={1.5}
        proOptions={{ hideAttribution: true }}
        onMoveStart={(event) => {
          if (event !== null) touched.current = true;
        }}
        onPaneClick={() => onSelect(undefined)}
      />
    </div>
  );
}

const NOTHING = { nodes: [] as StepFlowNode[], edges: [] as StepFlowEdge[] };

/** The layout belongs to the shape of the graph; while a new shape is being laid out nothing of the old one is shown. */
function useStepLayout(graph: StepGraph): StepLayout | undefined {
  const [layout, setLayout] = useState<StepLayout>();
  useEffect(() => {
    let wanted = true;
    void layoutSteps(graph).then((next) => {
      if (wanted) setLayout(next);
    });
    return () => {
      wanted = false;
    };
    // Only the shape matters: states change all the time.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [graph.shape]);
  return layout?.shape === graph.shape ? layout : undefined;
}

const MARGIN = 16;
const READABLE_ZOOM = 0.66;

/** All of it where that is readable, else its beginning at a readable size. */
function fitted(layout: StepLayout, width: number, height: number) {
  const whole = Math.min((width - 2 * MARGIN) / layout.width, (height - 2 * MARGIN) / layout.height, 1);
  const zoom = Math.max(READABLE_ZOOM, whole);
  const centred = (room: number, size: number) => Math.max(MARGIN, (room - size * zoom) / 2);
  return { x: centred(width, layout.width), y: centred(height, layout.height), zoom };
}

function drawn(
  graph: StepGraph,
  layout: StepLayout,
  data: { readonly now: number; readonly selected: string | undefined; readonly onSelect: (id: string) => void },
): { readonly nodes: StepFlowNode[]; readonly edges: StepFlowEdge[] } {
  const stateOf = new Map(graph.nodes.map((node) => [node.id, node.state]));
  return {
    nodes: graph.nodes.map((step) => {
      const box = layout.boxes.get(step.id)!;
      return {
        id: step.id,
        type: 'step',
        position: { x: box.x, y: box.y },
        width: box.width,
        height: box.height,
        data: { step, now: data.now, selected: step.id === data.selected, onSelect: data.onSelect },
      };
    }),
    edges: graph.edges.map((edge) => ({ ...edge, type: 'step', data: { state: stateOf.get(edge.source)! } })),
  };
}

const words: Readonly<Record<StepNode['state'], string>> = {
  pending: 'waiting',
  running: 'running',
  done: 'done',
  failed: 'failed',
  undoing: 'being undone',
  undone: 'undone',
  skipped: 'skipped',
};

function StepBox({ data: { step, now, selected, onSelect } }: NodeProps<StepFlowNode>) {
  const duration = stepDurationMs(step.steps, now);
  const attempts = Math.max(...step.steps.map((one) => one.attempt));
  const finished = step.steps.filter((one) => one.state === 'done').length;
  return (
    <>
      <Handle type="target" position={Position.Left} />
      <button
        type="button"
        className={`sf-step sf-step--${step.state} nopan`}
        data-step={step.id}
        data-state={step.state}
        aria-pressed={selected}
        aria-label={`${step.title}: ${words[step.state]}`}
        title={step.title}
        onClick={() => onSelect(step.id)}
      >
        <StateIcon of="step" state={step.state} />
        <span className="sf-step__title">{step.title}</span>
        {attempts > 1 && <span className="sf-step__sub">attempt {attempts}</span>}
        <span className="sf-step__sub">
          {step.steps.length > 1 && `${finished} of ${step.steps.length} · `}
          {duration !== undefined && formatMs(duration)}
        </span>
      </button>
      <Handle type="source" position={Position.Right} />
    </>
  );
}

function StepLine(props: EdgeProps<StepFlowEdge>) {
  const [path] = getBezierPath(props);
  return <BaseEdge path={path} className={`sf-step-edge sf-step-edge--${props.data?.state}`} />;
}

const nodeTypes = { step: StepBox };
const edgeTypes = { step: StepLine };
