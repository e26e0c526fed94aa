import '@xyflow/react/dist/style.css';
import './topology.css';
import './lines.css';
import { Controls, ReactFlow, ReactFlowProvider, useReactFlow, ViewportPortal } from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { type Relations, relationsOf } from '../view-model/relations.ts';
import type { Topology } from '../view-model/topology.ts';
import { nodeTypes, type TopologyNode } from './nodes.tsx';
import { Overlay } from './overlay.tsx';
import { type Frame, useAnimatedLayout } from './use-animated-layout.ts';
import { pictureOptions } from './flow-options.ts';

interface TopologyViewProps {
  readonly topology: Topology;
  readonly selected: string | undefined;
  readonly onSelect: (unit: string | undefined) => void;
}

/** The service drawn over sites and hosts. Pan and zoom by mouse, by the buttons, or by the arrow keys. */
export default function TopologyView(props: TopologyViewProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas({ topology, selected, onSelect }: TopologyViewProps) {
  const { layout, frame } = useAnimatedLayout(topology);
  const relations = useMemo(() => relationsOf(topology, selected), [topology, selected]);
  const before = useRef<readonly TopologyNode[]>([]);
  const nodes = useMemo(() => {
    const now = keepingSame(before.current, nodesOf(topology, frame, { selected, relations, onSelect }));
    before.current = now;
    return now;
  }, [topology, frame, selected, relations, onSelect]);
  const canvas = useRef<HTMLDivElement>(null);
  const touched = useRef(false);
  const shown = useRef(false);
  const { setViewport } = useReactFlow();
  const { width, height } = layout;

  const fit = useCallback(
    (duration: number) => {
      const element = canvas.current;
      if (element === null || width === 0) return;
      void setViewport(fitted(width, height, element.clientWidth, element.clientHeight), { duration });
    },
    [width, height, setViewport],
  );
  useEffect(() => {
    const refit = (duration: number) => {
      if (!touched.current) fit(duration);
    };
    // The first time there is nothing on the screen that could be followed with the eyes.
    refit(shown.current ? 600 : 0);
    shown.current = true;
    const observer = new ResizeObserver(() => refit(0));
    if (canvas.current !== null) observer.observe(canvas.current);
    return () => observer.disconnect();
  }, [fit]);

  return (
    <div className="sf-topology" ref={canvas} role="group" aria-label="Topology of the service over sites and hosts">
      <ReactFlow<TopologyNode>
        id="topology"
        nodes={nodes}
        nodeTypes={nodeTypes}
        {...pictureOptions}
        onMoveStart={(event) => {
          if (event !== null) touched.current = true;
        }}
        onPaneClick={() => onSelect(undefined)}
      >
        <ViewportPortal>
          <Overlay topology={topology} layout={layout} frame={frame} relations={relations} />
        </ViewportPortal>
        <Controls
          showInteractive={false}
          position="bottom-right"
          orientation="horizontal"
          onFitView={() => {
            touched.current = false;
            fit(300);
          }}
        />
      </ReactFlow>
    </div>
  );
}

const MARGIN = { side: 14, top: 14, /** Room for the buttons. */ bottom: 40 } as const;
const ZOOM_MAX = 1.15;

function fitted(width: number, height: number, roomX: number, roomY: number) {
  const [freeX, freeY] = [roomX - 2 * MARGIN.side, roomY - MARGIN.top - MARGIN.bottom];
  const zoom = Math.min(freeX / width, freeY / height, ZOOM_MAX);
  return {
    x: MARGIN.side + (freeX - width * zoom) / 2,
    y: MARGIN.top + (freeY - height * zoom) / 2,
    zoom,
  };
}

function nodesOf(
  topology: Topology,
  frame: Frame,
  {
    selected,
    relations,
    onSelect,
  }: {
    readonly selected: string | undefined;
    readonly relations: Relations | undefined;
    readonly onSelect: (id: string) => void;
  },
): TopologyNode[] {
  const nodes: TopologyNode[] = [];
  const at = (box: { x: number; y: number; width: number; height: number } | undefined, zIndex: number) => ({
    position: { x: box?.x ?? 0, y: box?.y ?? 0 },
    width: box?.width ?? 0,
    height: box?.height ?? 0,
    // The layout says how large they are, and no lines of xyflow end at them: there is nothing to be measured.
    measured: { width: box?.width ?? 0, height: box?.height ?? 0 },
    handles: [],
    zIndex,
  });
  for (const site of topology.sites) {
    nodes.push({ id: `site:${site.name}`, type: 'site', data: { site }, ...at(frame.sites.get(site.name), 0) });
    for (const host of site.hosts) {
      nodes.push({ id: `host:${host.id}`, type: 'host', data: { host }, ...at(frame.hosts.get(host.id), 1) });
      for (const member of host.members) {
        const apart = relations !== undefined && !relations.members.has(member.id);
        const place = { ...at(frame.members.get(member.id), 3), ...(apart ? { className: 'sf-apart' } : {}) };
        nodes.push(
          member.kind === 'unit'
            ? { id: member.id, type: 'unit', data: { member, selected: member.id === selected, onSelect }, ...place }
            : { id: member.id, type: 'count', data: { member }, ...place },
        );
      }
    }
  }
  return nodes;
}

/** What says the same is the same object, so that nothing is drawn again but what has changed. */
function keepingSame(before: readonly TopologyNode[], now: TopologyNode[]): TopologyNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  return now.map((node) => {
    const old = known.get(node.id);
    return old !== undefined && sameHandler(old, node) && JSON.stringify(old) === JSON.stringify(node) ? old : node;
  });
}

const sameHandler = (a: TopologyNode, b: TopologyNode): boolean =>
  a.type !== 'unit' || b.type !== 'unit' || a.data.onSelect === b.data.onSelect;
