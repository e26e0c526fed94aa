import '@xyflow/react/dist/style.css';
import './topology.css';
import { Controls, ReactFlow, ReactFlowProvider, useReactFlow, ViewportPortal } from '@xyflow/react';
import { useEffect, useMemo, useRef } from 'react';
import type { Topology } from '../view-model/topology.ts';
import { nodeTypes, type TopologyNode } from './nodes.tsx';
import { Overlay } from './overlay.tsx';
import { type Frame, useAnimatedLayout } from './use-animated-layout.ts';

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
  const nodes = useMemo(() => nodesOf(topology, frame, selected, onSelect), [topology, frame, selected, onSelect]);
  const canvas = useRef<HTMLDivElement>(null);
  const touched = useRef(false);
  const { fitBounds } = useReactFlow();
  const { width, height } = layout;

  useEffect(() => {
    const fit = (duration: number) => {
      if (!touched.current && width > 0) void fitBounds({ x: 0, y: 0, width, height }, { padding: 0.035, duration });
    };
    fit(600);
    const observer = new ResizeObserver(() => fit(0));
    if (canvas.current !== null) observer.observe(canvas.current);
    return () => observer.disconnect();
  }, [width, height, fitBounds]);

  return (
    <div className="sf-topology" ref={canvas} role="group" aria-label="Topology of the service over sites and hosts">
      <ReactFlow<TopologyNode>
        nodes={nodes}
        nodeTypes={nodeTypes}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        elementsSelectable={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        zoomOnScroll={false}
        minZoom={0.1}
        maxZoom={2}
        proOptions={{ hideAttribution: true }}
        onMoveStart={(event) => {
          if (event !== null) touched.current = true;
        }}
        onPaneClick={() => onSelect(undefined)}
      >
        <ViewportPortal>
          <Overlay topology={topology} layout={layout} frame={frame} />
        </ViewportPortal>
        <Controls
          showInteractive={false}
          position="bottom-right"
          orientation="horizontal"
          onFitView={() => {
            touched.current = false;
            void fitBounds({ x: 0, y: 0, width, height }, { padding: 0.035, duration: 300 });
          }}
        />
      </ReactFlow>
    </div>
  );
}

function nodesOf(
  topology: Topology,
  frame: Frame,
  selected: string | undefined,
  onSelect: (id: string) => void,
): TopologyNode[] {
  const nodes: TopologyNode[] = [];
  const at = (box: { x: number; y: number; width: number; height: number } | undefined, zIndex: number) => ({
    position: { x: box?.x ?? 0, y: box?.y ?? 0 },
    width: box?.width ?? 0,
    height: box?.height ?? 0,
    zIndex,
  });
  for (const site of topology.sites) {
    nodes.push({ id: `site:${site.name}`, type: 'site', data: { site }, ...at(frame.sites.get(site.name), 0) });
    for (const host of site.hosts) {
      nodes.push({ id: `host:${host.id}`, type: 'host', data: { host }, ...at(frame.hosts.get(host.id), 1) });
      for (const member of host.members) {
        const place = at(frame.members.get(member.id), 2);
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
