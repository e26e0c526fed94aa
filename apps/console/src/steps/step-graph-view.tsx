import { largest } from '@superfluidity/core';
import '@xyflow/react/dist/style.css';
import './steps.css';
import {
  BaseEdge,
  Controls,
  type Edge,
  type EdgeProps,
  getBezierPath,
  getSmoothStepPath,
  Handle,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNow } from '../data/clock.ts';
import { StateIcon } from '../ui/state-icon.tsx';
import { formatMs } from '../view-model/format.ts';
import { stepDurationMs, type StepGraph, type StepNode } from '../view-model/step-graph.ts';
import { type LayeredBoxes, type Room, wrapLayers, zoomInto } from '../view-model/wrap-steps.ts';
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
type StepFlowEdge = Edge<{ readonly state: string; readonly below: number | undefined }, 'step'>;

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
  const laidOut = useStepLayout(graph);
  const moving = graph.nodes.some((node) => node.state === 'running' || node.state === 'undoing');
  const now = useNow(200, moving);
  const canvas = useRef<HTMLDivElement>(null);
  const room = useRoom(canvas);
  const layout = useMemo(
    () => (laidOut === undefined || room === undefined ? undefined : wrapLayers(laidOut, room)),
    [laidOut, room],
  );
  const touched = useRef(false);
  const { setViewport } = useReactFlow();
  const fit = useCallback(
    (duration: number) => {
      if (layout !== undefined && room !== undefined) void setViewport(fitted(layout, room), { duration });
    },
    [layout, room, setViewport],
  );

  useEffect(() => {
    touched.current = false;
  }, [laidOut]);
  useEffect(() => {
    if (!touched.current) fit(0);
  }, [fit]);

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
      >
        <Controls
          showInteractive={false}
          showZoom={false}
          position="bottom-right"
          onFitView={() => {
            touched.current = false;
            fit(300);
          }}
        />
      </ReactFlow>
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

/** Of the canvas, within its margins. */
function useRoom(canvas: RefObject<HTMLDivElement | null>): Room | undefined {
  const [room, setRoom] = useState<Room>();
  useEffect(() => {
    const element = canvas.current!;
    const observer = new ResizeObserver(() => {
      const [width, height] = [element.clientWidth - 2 * MARGIN, element.clientHeight - 2 * MARGIN];
      setRoom((known) => (known?.width === width && known.height === height ? known : { width, height }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [canvas]);
  return room;
}

/** All of it where that is readable, else its beginning at a readable size. */
function fitted(layout: LayeredBoxes, room: Room) {
  const zoom = Math.max(READABLE_ZOOM, zoomInto(room, layout));
  const centred = (space: number, size: number) => MARGIN + Math.max(0, (space - size * zoom) / 2);
  return { x: centred(room.width, layout.width), y: centred(room.height, layout.height), zoom };
}

function drawn(
  graph: StepGraph,
  layout: LayeredBoxes,
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
    edges: graph.edges.map((edge) => ({
      ...edge,
      type: 'step',
      data: { state: stateOf.get(edge.source)!, below: layout.below?.get(edge.source) },
    })),
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
  const attempts = largest(step.steps.map((one) => one.attempt));
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
        title={step.title}
        onClick={() => onSelect(step.id)}
      >
        <StateIcon of="step" state={step.state} />
        <span className="sf-step__title">{step.title}</span>
        <span className="sf-offscreen">: {words[step.state]}</span>
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
  // From the end of a row to the beginning of the next the line goes between the rows.
  const { below } = props.data!;
  const between = below === undefined ? {} : { centerY: below };
  const [path] = props.targetX < props.sourceX ? getSmoothStepPath({ ...props, ...between }) : getBezierPath(props);
  return <BaseEdge path={path} className={`sf-step-edge sf-step-edge--${props.data!.state}`} />;
}

const nodeTypes = { step: StepBox };
const edgeTypes = { step: StepLine };
