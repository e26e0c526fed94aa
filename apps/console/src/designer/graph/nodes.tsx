import { ExclamationCircleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { ExclamationTriangleIcon } from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { NetworkWiredIcon } from '@patternfly/react-icons/dist/esm/icons/network-wired-icon';
import { PlugIcon } from '@patternfly/react-icons/dist/esm/icons/plug-icon';
import { PuzzlePieceIcon } from '@patternfly/react-icons/dist/esm/icons/puzzle-piece-icon';
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { createContext, memo, use } from 'react';
import { EnvironmentIcon, environmentNames } from '../../ui/environment.tsx';
import { sideOf } from '../core/arrange.ts';
import type { Difference } from '../core/compare.ts';
import type { LevelNode } from '../core/level.ts';
import { BODY } from './handles.ts';

export type DesignNode = Node<
  { readonly node: LevelNode; readonly difference: Difference | undefined; readonly found: boolean },
  'block' | 'network' | 'border'
>;

/** Whether a large graph is looked at from so far that far-nodes.tsx draws it. */
export const Far = createContext(false);

const kindNames = { function: 'function', unit: 'unit', element: 'element', network: 'network', port: 'port' } as const;

/** What a screen reader says of a node. */
export function spoken(node: LevelNode, difference: Difference | undefined): string {
  const parts = [
    `${kindNames[node.kind]} ${node.name}`,
    node.environment === undefined ? '' : environmentNames[node.environment],
    node.about,
    node.errors > 0 ? `${node.errors} errors` : '',
    node.warnings > 0 ? `${node.warnings} warnings` : '',
    difference ?? '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

const classesOf = (kind: string, { difference, found }: DesignNode['data'], selected: boolean): string =>
  [
    'sf-block',
    `sf-block--${kind}`,
    ...(difference === undefined ? [] : [`sf-block--${difference}`]),
    ...(found ? ['sf-block--found'] : []),
    ...(selected ? ['sf-block--selected'] : []),
  ].join(' ');

const Block = memo(function Block({ data, selected }: NodeProps<DesignNode>) {
  const { node, difference } = data;
  if (use(Far)) return null;
  return (
    <div className={classesOf('unit', data, selected)} data-block={node.name} data-difference={difference}>
      <Sides />
      <Ports node={node} side="in" />
      <div className="sf-block__head">
        {node.environment === undefined ? (
          <span className="sf-env sf-env--process">
            <PuzzlePieceIcon aria-hidden />
          </span>
        ) : (
          <EnvironmentIcon of={node.environment} />
        )}
        <span className="sf-block__text">
          <strong>{node.name}</strong>
          <small>
            {node.about === '' && node.environment !== undefined ? environmentNames[node.environment] : node.about}
          </small>
        </span>
        {node.scale > 1 && <span className="sf-block__count">×{node.scale}</span>}
        {node.inner > 0 && node.kind !== 'function' && <span className="sf-block__count">{node.inner} in it</span>}
        <Marks node={node} />
      </div>
      <Ports node={node} side={undefined} />
      <Ports node={node} side="out" />
      <Handle id={BODY.any} type="source" position={Position.Bottom} className="sf-end" data-end={node.name} />
    </div>
  );
});

/**
 * A place where lines end that nobody takes hold of. xyflow measures what has these attributes; its own component would
 * listen to every change of the graph.
 */
function Place({
  id,
  position,
  className,
}: {
  readonly id: string;
  readonly position: Position;
  readonly className: string;
}) {
  return (
    <span
      className={`react-flow__handle react-flow__handle-${position} source ${className}`}
      data-handleid={id}
      data-handlepos={position}
      aria-hidden
    />
  );
}

/** On each side, from which a line may come. */
function Sides() {
  return sides.map(([id, position]) => <Place key={id} id={id} position={position} className="sf-end--hidden" />);
}

const sides = [
  [BODY.left, Position.Left],
  [BODY.right, Position.Right],
  [BODY.top, Position.Top],
  [BODY.bottom, Position.Bottom],
] as const;

/** The ports of one side, from which lines are drawn. */
function Ports({ node, side }: { readonly node: LevelNode; readonly side: 'in' | 'out' | undefined }) {
  const ports = node.ports.filter(({ id }) => sideOf(id) === side);
  if (ports.length === 0) return null;
  const position = side === 'in' ? Position.Top : Position.Bottom;
  return (
    <div className="sf-block__ports">
      {ports.map(({ id }) => (
        <Handle key={id} id={id} type="source" position={position} className="sf-port" data-port={`${node.name}.${id}`}>
          {id}
        </Handle>
      ))}
    </div>
  );
}

const Network = memo(function Network({ data, selected }: NodeProps<DesignNode>) {
  const { node } = data;
  if (use(Far)) return null;
  return (
    <div className={classesOf('network', data, selected)} data-network={node.name} data-difference={data.difference}>
      <Sides />
      <Handle id={BODY.any} type="source" position={Position.Top} className="sf-end" data-end={node.name} />
      <NetworkWiredIcon aria-hidden />
      <span className="sf-block__text">
        <strong>{node.name}</strong>
        <small>{node.about}</small>
      </span>
      <Marks node={node} />
    </div>
  );
});

const Border = memo(function Border({ data, selected }: NodeProps<DesignNode>) {
  const { node } = data;
  if (use(Far)) return null;
  return (
    <div className={classesOf('border', data, selected)} data-border={node.name}>
      <Sides />
      <PlugIcon aria-hidden />
      <span className="sf-block__text">
        <strong>{node.name}</strong>
      </span>
      <Handle id={BODY.any} type="source" position={Position.Bottom} className="sf-end" data-end={node.name} />
    </div>
  );
});

function Marks({ node: { errors, warnings } }: { readonly node: LevelNode }) {
  if (errors > 0)
    return (
      <span className="sf-mark sf-mark--error" data-errors={errors}>
        <ExclamationCircleIcon aria-hidden />
        {errors}
      </span>
    );
  if (warnings === 0) return null;
  return (
    <span className="sf-mark sf-mark--warning" data-warnings={warnings}>
      <ExclamationTriangleIcon aria-hidden />
      {warnings}
    </span>
  );
}

export const nodeTypes = { block: Block, network: Network, border: Border };
