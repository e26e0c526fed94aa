import '@xyflow/react/dist/style.css';
import '../topology/topology.css';
import '../topology/lines.css';
import './layers.css';
import {
  Controls,
  type Node,
  type NodeProps,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  ViewportPortal,
} from '@xyflow/react';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef } from 'react';
import { type Layer, type LayerGraph, layerNames, type LayerNode, type NodeKind } from './core/layer-graph.ts';
import { type Direction, type LayerLayout, layoutLayers, neighbour } from './core/layer-layout.ts';
import { relatedTo } from './core/related.ts';
import { pictureOptions } from '../topology/flow-options.ts';

interface LayersViewProps {
  readonly graph: LayerGraph;
  readonly shown: readonly Layer[];
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
}

export const kindNames: Readonly<Record<NodeKind, string>> = {
  chain: 'chain',
  balancer: 'balancer',
  unit: 'unit',
  port: 'port',
  network: 'network',
  segment: 'segment',
  part: 'part of a network',
  router: 'router',
  tunnel: 'tunnel',
  host: 'host',
  rack: 'rack',
  site: 'site',
  link: 'link',
};

/** Layers one above the other. Arrow keys go from node to node, Enter chooses, Escape lets go. */
export default function LayersView(props: LayersViewProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

type Box = Node<
  {
    readonly node: LayerNode;
    readonly selected: boolean;
    readonly belongs: boolean | undefined;
    readonly onSelect: (id: string) => void;
  },
  'layer'
>;

function NodeBox({ data: { node, selected, belongs, onSelect } }: NodeProps<Box>) {
  const { kind, name, about, load, ill = false } = node;
  const chain = node.colour === undefined ? '' : `sf-chain--${node.colour % 5}`;
  return (
    <button
      type="button"
      className={`sf-layer-node sf-layer-node--${kind} ${chain} ${ill ? 'sf-layer-node--ill' : ''} ${belongs === undefined ? '' : belongs ? 'sf-layer-node--related' : 'sf-apart'} nopan`}
      data-node={node.id}
      data-belongs={belongs}
      aria-pressed={selected}
      title={`${kindNames[kind]} ${name}: ${about}`}
      onClick={() => onSelect(node.id)}
    >
      <span className="sf-layer-node__kind">{kindNames[kind]}</span>
      <strong>{name}</strong>
      <small>{about}</small>
      {load !== undefined && <i className="sf-layer-node__load" style={{ inlineSize: `${Math.round(load * 100)}%` }} />}
    </button>
  );
}

const nodeTypes = { layer: NodeBox };
const MARGIN = 16;
const ZOOM_MAX = 1.2;
/** A node is pressed with a finger: 24 px high at least (WCAG 2.2, 2.5.8). What has no room is panned to. */
const ZOOM_MIN = 0.6;
const KEYS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

function Canvas({ graph, shown, selected, onSelect }: LayersViewProps) {
  const layout = useMemo(() => layoutLayers(graph, shown), [graph, shown]);
  const related = useMemo(() => relatedTo(graph, selected), [graph, selected]);
  const nodes = useMemo(
    () =>
      graph.nodes.flatMap((node): Box[] => {
        const box = layout.boxes.get(node.id);
        if (box === undefined) return [];
        const { x, y, width, height } = box;
        const data = { node, selected: node.id === selected, belongs: related?.has(node.id), onSelect };
        return [{ id: node.id, type: 'layer', data, position: { x, y }, width, height, zIndex: 3 }];
      }),
    [graph, layout, related, selected, onSelect],
  );
  const canvas = useRef<HTMLDivElement>(null);
  const touched = useRef(false);
  const { getViewport, setViewport } = useReactFlow();
  const { width, height } = layout;
  const fit = useCallback(() => {
    const element = canvas.current;
    if (element === null) return;
    const [roomX, roomY] = [element.clientWidth - 2 * MARGIN, element.clientHeight - 2 * MARGIN];
    const zoom = Math.max(ZOOM_MIN, Math.min(roomX / width, roomY / height, ZOOM_MAX));
    void setViewport({
      x: MARGIN + Math.max(0, (roomX - width * zoom) / 2),
      y: MARGIN + Math.max(0, (roomY - height * zoom) / 2),
      zoom,
    });
  }, [width, height, setViewport]);
  /** Pans as far as it takes to see all of the box, and says whether it did. */
  const reveal = useCallback(
    (to: Rect): boolean => {
      const element = canvas.current;
      if (element === null) return false;
      const { x, y, zoom } = getViewport();
      const into = (at: number, from: number, size: number, room: number) =>
        Math.max(Math.min(at, room - MARGIN - (from + size) * zoom), MARGIN - from * zoom);
      const next = {
        x: into(x, to.x, to.width, element.clientWidth),
        y: into(y, to.y, to.height, element.clientHeight),
        zoom,
      };
      if (next.x === x && next.y === y) return false;
      void setViewport(next);
      return true;
    },
    [getViewport, setViewport],
  );
  const box = selected === undefined ? undefined : layout.boxes.get(selected);
  const chosen = useRef(box);
  useEffect(() => {
    chosen.current = box;
  }, [box]);
  useEffect(() => {
    const place = () => {
      if (touched.current) return;
      fit();
      if (chosen.current !== undefined) reveal(chosen.current);
    };
    place();
    const observer = new ResizeObserver(place);
    if (canvas.current !== null) observer.observe(canvas.current);
    return () => observer.disconnect();
  }, [fit, reveal]);
  // What is chosen is seen, also when an address chose it; who pans away after that stays there.
  useEffect(() => {
    if (selected !== undefined && chosen.current !== undefined) reveal(chosen.current);
  }, [selected, reveal]);
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      onSelect(undefined);
      return;
    }
    const direction = KEYS[event.key];
    const at = (event.target as HTMLElement).dataset['node'];
    if (direction === undefined || at === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = neighbour(layout.boxes, at, direction);
    const to = next === undefined ? undefined : layout.boxes.get(next);
    if (next === undefined || to === undefined) return;
    if (reveal(to)) touched.current = true;
    canvas.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(next)}"]`)?.focus({ preventScroll: true });
  };
  return (
    <div className="sf-topology sf-layers" ref={canvas} role="group" aria-label="Layers" onKeyDownCapture={press}>
      <ReactFlow<Box>
        id="layers"
        nodes={nodes}
        nodeTypes={nodeTypes}
        {...pictureOptions}
        onMoveStart={(event) => {
          if (event !== null) touched.current = true;
        }}
        onPaneClick={() => onSelect(undefined)}
      >
        <ViewportPortal>
          <Lines graph={graph} layout={layout} related={related} />
        </ViewportPortal>
        <Controls
          showInteractive={false}
          position="bottom-right"
          orientation="horizontal"
          onFitView={() => {
            touched.current = false;
            fit();
          }}
        />
      </ReactFlow>
    </div>
  );
}

function Lines(props: {
  readonly graph: LayerGraph;
  readonly layout: LayerLayout;
  readonly related: ReadonlySet<string> | undefined;
}) {
  const { graph, layout, related } = props;
  return (
    <svg className="sf-layer-lines" width="1" height="1" aria-hidden="true">
      {layout.bands.map(({ layer, y, height }) => (
        <g key={layer} data-band={layer}>
          <rect x={0} y={y} width={layout.width} height={height} rx="14" className={`sf-band sf-band--${layer}`} />
          <text x={16} y={y + 22} className="sf-band__name">
            {layerNames[layer]}
          </text>
        </g>
      ))}
      {graph.edges.map(({ from, to, colour }, i) => {
        const [a, b] = [layout.boxes.get(from), layout.boxes.get(to)];
        if (a === undefined || b === undefined) return null;
        const state =
          related === undefined ? '' : related.has(from) && related.has(to) ? 'sf-layer-line--related' : 'sf-apart';
        const chain = colour === undefined ? '' : `sf-chain sf-chain--${colour % 5}`;
        return (
          <g key={i} className={chain}>
            <path
              d={pathOf(a, b)}
              className={`${colour === undefined ? 'sf-layer-line' : 'sf-chain__line'} ${state}`}
            />
          </g>
        );
      })}
    </svg>
  );
}

type Rect = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

function pathOf(a: Rect, b: Rect): string {
  const [x1, x2] = [a.x + a.width / 2, b.x + b.width / 2];
  if (a.y === b.y) {
    const top = a.y - 12;
    return `M${x1} ${a.y}C${x1} ${top} ${x2} ${top} ${x2} ${b.y}`;
  }
  const [upper, lower, from, to] = a.y < b.y ? [a, b, x1, x2] : [b, a, x2, x1];
  const [y1, y2] = [upper.y + upper.height, lower.y];
  const middle = (y1 + y2) / 2;
  return `M${from} ${y1}C${from} ${middle} ${to} ${middle} ${to} ${y2}`;
}
