import '@xyflow/react/dist/style.css';
import './far.css';
import {
  Background,
  ConnectionMode,
  type Connection,
  Controls,
  MiniMap,
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
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Later } from '../../ui/later.tsx';
import type { Point } from '../../view-model/layout.ts';
import type { End } from '../core/edits.ts';
import type { Level } from '../core/level.ts';
import { designLimits } from '../core/limits.ts';
import { FarLines, farLines, lineAt } from './far-lines.tsx';
import { FarNodes } from './far-nodes.tsx';
import { type DesignEdge, flowEdges, flowNodes, type Marking } from './flow.ts';
import { BODY } from './handles.ts';
import { focused, keyOf, movedBy } from './keys.ts';
import { useLightDrag } from './use-light-drag.ts';
import { FIT, useView } from './use-view.ts';
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

const NO_EDGES: DesignEdge[] = [];
const FAR = 0.45;

/** Measures its room first, so that the graph is drawn at once as it is looked at, and not once more after that. */
export default function GraphView(props: GraphViewProps) {
  const room = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<{ readonly width: number; readonly height: number }>();
  useLayoutEffect(() => {
    const { clientWidth: width, clientHeight: height } = room.current!;
    setSize({ width, height });
  }, []);
  if (size === undefined) return <div className="sf-canvas" ref={room} />;
  return <Placed {...props} {...size} />;
}

function Placed(props: GraphViewProps & { readonly width: number; readonly height: number }) {
  const { level, places, selected, marking } = props;
  const [first] = useState(() => flowNodes(level, places, new Set(selected), marking, []));
  const size = { initialWidth: props.width, initialHeight: props.height };
  const zooms = { initialMinZoom: FIT.minZoom, initialMaxZoom: FIT.maxZoom };
  return (
    <ReactFlowProvider initialNodes={first} fitView initialFitViewOptions={FIT} {...size} {...zooms}>
      <Canvas {...props} first={first} />
    </ReactFlowProvider>
  );
}

function Canvas(props: GraphViewProps & { readonly first: DesignNode[] }) {
  const { level, places, selected, marking, onSelect } = props;
  const large = level.nodes.length > designLimits.arranged;
  const chosen = useMemo(() => new Set(selected), [selected]);
  const [nodes, setNodes, onNodesChange] = useNodesState<DesignNode>(props.first);
  const { screenToFlowPosition, getViewport, getZoom } = useReactFlow();
  const [begin] = useState(getViewport);
  const [far, setFar] = useState(() => getZoom() < FAR);
  const afar = far && large;
  const drawn = useRef({ level, places, chosen, marking });
  useEffect(() => {
    const before = drawn.current;
    drawn.current = { level, places, chosen, marking };
    const isSame =
      before.level === level && before.places === places && before.chosen === chosen && before.marking === marking;
    if (!isSame) setNodes((known) => flowNodes(level, places, chosen, marking, known));
  }, [level, places, chosen, marking, setNodes]);
  const edges = useMemo(() => flowEdges(level, places, chosen), [level, places, chosen]);
  const lines = useMemo(() => (afar ? farLines(nodes, edges) : undefined), [afar, nodes, edges]);
  const lightDrag = useLightDrag(nodes, edges, lines, props.onMove);
  const byId = useMemo(() => new Map(level.nodes.map((node) => [node.id, node])), [level]);
  const canvas = useRef<HTMLDivElement>(null);

  useView(canvas, { nodes, places, arranged: props.arranged, selected });

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

  const click = (event: MouseEvent, node: DesignNode) => {
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

  const open = (_event: MouseEvent, { data: { node } }: DesignNode) => {
    if (node.opens !== undefined) props.onOpen(node.opens);
  };

  const press = (event: KeyboardEvent) => {
    const acts = keyOf(event, props, level, focused(event.target, byId));
    if (acts === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    acts();
  };
  const pressArrow = (event: KeyboardEvent) => {
    const moved = movedBy(event, focused(event.target, byId)?.id, props);
    if (moved === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    props.onMove(moved);
  };
  const menu = (event: MouseEvent | globalThis.MouseEvent, of: 'node' | 'link', id: string) => {
    event.preventDefault();
    if (!chosen.has(id)) onSelect([id]);
    const box = canvas.current!.getBoundingClientRect();
    props.onMenu(of, { x: event.clientX - box.x, y: event.clientY - box.y });
  };
  const lineUnder = ({ clientX: x, clientY: y }: Pick<MouseEvent, 'clientX' | 'clientY'>): string | undefined =>
    lines === undefined ? undefined : lineAt(lines, screenToFlowPosition({ x, y }), getZoom());
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
      className={`sf-canvas ${props.stale ? 'sf-canvas--stale' : ''} ${far ? 'sf-canvas--far' : ''} ${afar ? 'sf-canvas--afar' : ''}`}
      ref={canvas}
      role="group"
      aria-label="Graph of the design"
      data-nodes={nodes.length}
      onKeyDownCapture={pressArrow}
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
      <Far value={afar}>
        <ReactFlow<DesignNode, DesignEdge>
          id="design"
          nodes={nodes}
          edges={afar ? NO_EDGES : edges}
          nodeTypes={nodeTypes}
          onNodesChange={onNodesChange}
          nodesDraggable={!large}
          connectionMode={ConnectionMode.Loose}
          connectOnClick
          onConnect={connect}
          onNodeClick={click}
          onEdgeClick={(event, edge) => onSelect(event.ctrlKey || event.metaKey ? [...selected, edge.id] : [edge.id])}
          onNodeDoubleClick={open}
          onNodeContextMenu={(event, { id }) => menu(event, 'node', id)}
          onEdgeContextMenu={(event, { id }) => menu(event, 'link', id)}
          onNodeDragStop={(_event, _node, moved) =>
            props.onMove(Object.fromEntries(moved.map(({ id, position }) => [id, { ...position }])))
          }
          onSelectionDragStop={(_event, moved) =>
            props.onMove(Object.fromEntries(moved.map(({ id, position }) => [id, { ...position }])))
          }
          onSelectionEnd={() => boxSelect({ nodes: nodes.filter((node) => node.selected === true) })}
          onPaneClick={(event) => {
            canvas.current?.focus({ preventScroll: true });
            const line = lineUnder(event);
            onSelect(line === undefined ? [] : [line]);
          }}
          onPaneContextMenu={(event) => {
            const line = lineUnder(event);
            if (line !== undefined) menu(event, 'link', line);
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
          defaultViewport={begin}
          minZoom={0.05}
          maxZoom={3}
          proOptions={{ hideAttribution: true }}
        >
          {lines !== undefined && (
            <>
              <FarLines lines={lines} />
              <FarNodes
                nodes={nodes}
                onClick={click}
                onDoubleClick={open}
                onContextMenu={(event, { id }) => menu(event, 'node', id)}
              />
            </>
          )}
          <Background gap={20} color="var(--sf-line-strong)" />
          <Controls showInteractive={false} position="bottom-right" orientation="horizontal" />
          {level.nodes.length > 12 && (
            <Later>
              <MiniMap pannable zoomable position="bottom-left" ariaLabel="Overview of the graph" />
            </Later>
          )}
        </ReactFlow>
      </Far>
    </div>
  );
}
