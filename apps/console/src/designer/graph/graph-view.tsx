import '@xyflow/react/dist/style.css';
import {
  Background,
  ConnectionMode,
  type Connection,
  Controls,
  MiniMap,
  type NodeMouseHandler,
  ReactFlow,
  ReactFlowProvider,
  SelectionMode,
  useNodesState,
  useReactFlow,
} from '@xyflow/react';
import {
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import type { Point } from '../../view-model/layout.ts';
import type { End } from '../core/edits.ts';
import type { Level, LevelNode } from '../core/level.ts';
import { designLimits } from '../core/limits.ts';
import { type DesignEdge, flowEdges, flowNodes, type Marking } from './flow.ts';
import { BODY } from './handles.ts';
import { useLightDrag } from './use-light-drag.ts';
import { type DesignNode, Far, nodeTypes } from './nodes.tsx';

/** What is dragged from the palette: the id of an entry. */
export const ENTRY = 'application/x-superfluidity-entry';

export interface GraphViewProps {
  readonly level: Level;
  readonly places: ReadonlyMap<string, Point>;
  /** Another word when everything has been put elsewhere, and is looked at as a whole. */
  readonly arranged: string;
  readonly selected: readonly string[];
  readonly marking: Marking;
  readonly stale: boolean;
  readonly onSelect: (ids: readonly string[]) => void;
  readonly onOpen: (path: string) => void;
  readonly onUp: () => void;
  readonly onConnect: (from: End, to: End) => void;
  readonly onMove: (places: Readonly<Record<string, Point>>) => void;
  readonly onDelete: () => void;
  readonly onDrop: (entry: string, at: Point) => void;
  readonly onMenu: (of: 'node' | 'link', at: Point) => void;
  readonly onCopy: (clipboard: DataTransfer) => void;
  readonly onPaste: (text: string) => void;
  readonly onUndo: () => void;
  readonly onRedo: () => void;
}

export default function GraphView(props: GraphViewProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

const FAR = 0.45;

function Canvas(props: GraphViewProps) {
  const { level, places, selected, marking, onSelect } = props;
  const large = level.nodes.length > designLimits.arranged;
  const chosen = useMemo(() => new Set(selected), [selected]);
  const [nodes, setNodes, onNodesChange] = useNodesState<DesignNode>([]);
  useEffect(() => {
    setNodes((before) => flowNodes(level, places, chosen, marking, before));
  }, [level, places, chosen, marking, setNodes]);
  const edges = useMemo(() => flowEdges(level, places, chosen), [level, places, chosen]);
  const lightDrag = useLightDrag(nodes, edges, props.onMove);
  const byId = useMemo(() => new Map(level.nodes.map((node) => [node.id, node])), [level]);
  const { screenToFlowPosition, fitView } = useReactFlow();
  const canvas = useRef<HTMLDivElement>(null);
  const [far, setFar] = useState(level.nodes.length > designLimits.arranged);

  // Another level, or another size of the canvas, is looked at as a whole.
  const isEmpty = nodes.length === 0;
  useEffect(() => {
    if (isEmpty) return undefined;
    const fit = () => void fitView({ padding: 0.12, maxZoom: 1.1, minZoom: 0.05 });
    const frame = requestAnimationFrame(fit);
    return () => cancelAnimationFrame(frame);
  }, [props.arranged, isEmpty, fitView]);

  const endOf = (id: string | null, handle: string | null | undefined): End | undefined => {
    const node = byId.get(id ?? '');
    if (node === undefined) return undefined;
    return handle === BODY.any || handle === null || handle === undefined ? { node } : { node, port: handle };
  };
  const connect = (connection: Connection) => {
    const [from, to] = [
      endOf(connection.source, connection.sourceHandle),
      endOf(connection.target, connection.targetHandle),
    ];
    if (from !== undefined && to !== undefined) props.onConnect(from, to);
  };

  const click: NodeMouseHandler<DesignNode> = (event, node) => {
    if (event.shiftKey) {
      // As in RDCL 3D: Shift and a click on a second node connect both.
      const [from] = selected.filter((id) => id !== node.id && byId.has(id)).slice(-1);
      const [a, b] = [endOf(from ?? null, null), endOf(node.id, null)];
      if (a !== undefined && b !== undefined) return props.onConnect(a, b);
    }
    if (event.ctrlKey || event.metaKey)
      return onSelect(chosen.has(node.id) ? selected.filter((id) => id !== node.id) : [...selected, node.id]);
    onSelect([node.id]);
  };

  const press = (event: KeyboardEvent) => {
    const acts = keyOf(event, props, level, focused(event.target, byId));
    if (acts === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    acts();
  };
  const menu = (event: MouseEvent | globalThis.MouseEvent, of: 'node' | 'link', id: string) => {
    event.preventDefault();
    if (!chosen.has(id)) onSelect([id]);
    const box = canvas.current!.getBoundingClientRect();
    props.onMenu(of, { x: event.clientX - box.x, y: event.clientY - box.y });
  };
  const drop = (event: DragEvent) => {
    const entry = event.dataTransfer.getData(ENTRY);
    if (entry === '') return;
    event.preventDefault();
    event.stopPropagation();
    props.onDrop(entry, screenToFlowPosition({ x: event.clientX, y: event.clientY }));
  };
  const boxSelect = useCallback(
    ({ nodes: inBox }: { readonly nodes: readonly DesignNode[] }) => {
      const ids = inBox.map(({ id }) => id);
      if (ids.length > 1 && ids.join() !== selected.join()) onSelect(ids);
    },
    [selected, onSelect],
  );

  return (
    <div
      className={`sf-canvas ${props.stale ? 'sf-canvas--stale' : ''} ${far ? 'sf-canvas--far' : ''}`}
      ref={canvas}
      role="group"
      aria-label="Graph of the design"
      data-nodes={nodes.length}
      onKeyDown={press}
      onPointerDown={large ? lightDrag : undefined}
      onCopy={(event) => {
        event.preventDefault();
        props.onCopy(event.clipboardData);
      }}
      onCut={(event) => {
        event.preventDefault();
        props.onCopy(event.clipboardData);
        props.onDelete();
      }}
      onPaste={(event) => {
        event.preventDefault();
        props.onPaste(event.clipboardData.getData('text/plain'));
      }}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(ENTRY)) event.preventDefault();
      }}
      onDrop={drop}
      // What was clicked last is copied from.
      tabIndex={-1}
    >
      <Far value={far && large}>
        <ReactFlow<DesignNode, DesignEdge>
          id="design"
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          onNodesChange={onNodesChange}
          nodesDraggable={!large}
          connectionMode={ConnectionMode.Loose}
          connectOnClick
          onConnect={connect}
          onNodeClick={click}
          onEdgeClick={(event, edge) => onSelect(event.ctrlKey || event.metaKey ? [...selected, edge.id] : [edge.id])}
          onNodeDoubleClick={(_event, { data: { node } }) => {
            if (node.opens !== undefined) props.onOpen(node.opens);
          }}
          onNodeContextMenu={(event, { id }) => menu(event, 'node', id)}
          onEdgeContextMenu={(event, { id }) => menu(event, 'link', id)}
          onNodeDragStop={(_event, _node, moved) =>
            props.onMove(Object.fromEntries(moved.map(({ id, position }) => [id, { ...position }])))
          }
          onSelectionDragStop={(_event, moved) =>
            props.onMove(Object.fromEntries(moved.map(({ id, position }) => [id, { ...position }])))
          }
          onSelectionEnd={() => boxSelect({ nodes: nodes.filter((node) => node.selected === true) })}
          onPaneClick={() => {
            canvas.current?.focus({ preventScroll: true });
            onSelect([]);
          }}
          onMove={(_event, { zoom }) => setFar(zoom < FAR)}
          onlyRenderVisibleElements={large}
          selectionMode={SelectionMode.Partial}
          selectionKeyCode="Shift"
          multiSelectionKeyCode={null}
          deleteKeyCode={null}
          disableKeyboardA11y={false}
          edgesFocusable
          elevateNodesOnSelect={false}
          zoomOnDoubleClick={false}
          minZoom={0.05}
          maxZoom={3}
          proOptions={{ hideAttribution: true }}
        >
          <Background gap={20} color="var(--sf-line-strong)" />
          <Controls showInteractive={false} position="bottom-right" orientation="horizontal" />
          {level.nodes.length > 12 && (
            <MiniMap pannable zoomable position="bottom-left" ariaLabel="Overview of the graph" />
          )}
        </ReactFlow>
      </Far>
    </div>
  );
}

function focused(target: EventTarget, byId: ReadonlyMap<string, LevelNode>): LevelNode | undefined {
  const id = target instanceof Element ? target.closest('.react-flow__node')?.getAttribute('data-id') : undefined;
  return byId.get(id ?? '');
}

/** What a key does in the graph; undefined for keys that are others' matter. */
function keyOf(
  event: KeyboardEvent,
  props: GraphViewProps,
  level: Level,
  node: LevelNode | undefined,
): (() => void) | undefined {
  const { key } = event;
  if (event.ctrlKey || event.metaKey) {
    if (key === 'z' && !event.shiftKey) return props.onUndo;
    if (key === 'y' || key.toLowerCase() === 'z') return props.onRedo;
    if (key === 'a') return () => props.onSelect(level.nodes.map(({ id }) => id));
    return undefined;
  }
  if (key === 'Delete' || key === 'Backspace') return props.onDelete;
  if (key === 'Escape') return () => props.onSelect([]);
  if (event.altKey && key === 'ArrowUp') return props.onUp;
  if (node === undefined) return undefined;
  const { id, opens } = node;
  if (event.altKey && key === 'ArrowDown' && opens !== undefined) return () => props.onOpen(opens);
  if (key === 'Enter' || key === ' ') {
    const has = props.selected.includes(id);
    // Space adds to what is selected, so that two can be connected without a mouse.
    if (key === ' ')
      return () => props.onSelect(has ? props.selected.filter((one) => one !== id) : [...props.selected, id]);
    return () => props.onSelect([id]);
  }
  return undefined;
}
