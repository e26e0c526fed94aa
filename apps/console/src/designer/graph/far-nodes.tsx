import { ViewportPortal } from '@xyflow/react';
import { memo, type MouseEvent } from 'react';
import type { DesignNode } from './nodes.tsx';

type Act = (event: MouseEvent, node: DesignNode) => void;

/**
 * The nodes of a large graph that is looked at from afar: boxes with names, for nothing else can be read from there, nor taken
 * hold of. They stand in their places without being moved there, so that the browser paints them as one; each of xyflow's own
 * would be a layer that it has to think about in every frame.
 */
export function FarNodes(props: {
  readonly nodes: readonly DesignNode[];
  readonly onClick: Act;
  readonly onDoubleClick: Act;
  readonly onContextMenu: Act;
}) {
  const { nodes } = props;
  const at = (act: Act) => (event: MouseEvent) => {
    const id = event.target instanceof Element ? event.target.closest('.sf-far-node')?.getAttribute('data-id') : null;
    const node = nodes.find((one) => one.id === id);
    if (node === undefined) return;
    event.stopPropagation();
    act(event, node);
  };
  return (
    <ViewportPortal>
      <div onClick={at(props.onClick)} onDoubleClick={at(props.onDoubleClick)} onContextMenu={at(props.onContextMenu)}>
        {nodes.map((node) => (
          <FarNode key={node.id} node={node} />
        ))}
      </div>
    </ViewportPortal>
  );
}

const FarNode = memo(function FarNode({
  node: { id, position, width, height, data, selected, ariaLabel },
}: {
  readonly node: DesignNode;
}) {
  const { node, difference, found } = data;
  const marks = [
    'sf-far-node nopan',
    node.kind === 'network' ? 'sf-far-node--network' : '',
    selected === true ? 'sf-far-node--selected' : '',
    found ? 'sf-far-node--found' : '',
    difference === undefined ? '' : `sf-far-node--${difference}`,
    node.errors > 0 ? 'sf-far-node--error' : node.warnings > 0 ? 'sf-far-node--warning' : '',
  ];
  const named = {
    [node.kind === 'network' ? 'data-network' : node.kind === 'port' ? 'data-border' : 'data-block']: node.name,
  };
  return (
    <div
      className={marks.filter((mark) => mark !== '').join(' ')}
      style={{ left: position.x, top: position.y, inlineSize: width, blockSize: height }}
      data-id={id}
      data-difference={difference}
      tabIndex={0}
      role="group"
      aria-roledescription="node"
      aria-label={ariaLabel}
      {...named}
    >
      {node.name}
    </div>
  );
});
