import type { SiteLink } from '@superfluidity/api';
import { formatBandwidth, formatMs, formatPercent } from '../view-model/format.ts';
import type { Layout, LinkLine } from '../view-model/layout.ts';
import { chainSegments } from '../view-model/chain-path.ts';
import type { Relations } from '../view-model/relations.ts';
import type { Topology, TopologyChain } from '../view-model/topology.ts';
import { type Frame, hopKey } from './use-animated-layout.ts';

/** Links between sites and chains over units, drawn in the coordinates of the layout. */
export function Overlay(props: {
  readonly topology: Topology;
  readonly layout: Layout;
  readonly frame: Frame;
  /** Of the unit that is chosen. */
  readonly relations: Relations | undefined;
}) {
  const { topology, layout, frame, relations } = props;
  return (
    <svg className="sf-overlay" width="1" height="1" aria-hidden="true">
      <defs>
        {topology.chains.map((chain) => (
          <marker
            key={chain.name}
            id={`arrow-${chain.colour}`}
            viewBox="0 0 8 8"
            refX="6.5"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 .5L7.5 4 0 7.5z" className={`sf-chain-fill--${chain.colour % CHAIN_COLOURS}`} />
          </marker>
        ))}
      </defs>
      {layout.links.map((line, i) => (
        <Link key={`${line.a}-${line.b}`} line={line} link={topology.links[i]!} />
      ))}
      {topology.chains.map((chain, lane) => (
        <Chain
          key={chain.name}
          chain={chain}
          lane={lane}
          lanes={topology.chains.length}
          frame={frame}
          apart={relations !== undefined && !relations.chains.has(chain.name)}
        />
      ))}
    </svg>
  );
}

export const CHAIN_COLOURS = 5;

function Link({ line, link }: { readonly line: LinkLine; readonly link: SiteLink }) {
  const { from, to } = line;
  const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
  return (
    <g className="sf-link" data-link={`${link.a}-${link.b}`}>
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      <circle cx={from.x} cy={from.y} r="4" />
      <circle cx={to.x} cy={to.y} r="4" />
      <rect x={x - 52} y={y - 21} width="104" height="42" rx="10" />
      <text x={x} y={y - 3} className="sf-link__latency">
        {formatMs(link.latencyMs)}
      </text>
      <text x={x} y={y + 13}>
        {formatBandwidth(link.bandwidthMbps)}
        {link.loss > 0 && ` · loss ${formatPercent(link.loss)}`}
      </text>
    </g>
  );
}

function Chain(props: {
  readonly chain: TopologyChain;
  readonly lane: number;
  readonly lanes: number;
  readonly frame: Frame;
  /** It does not belong to what is chosen. */
  readonly apart: boolean;
}) {
  const { chain, frame } = props;
  const boxes = chain.hops.flatMap((hop) => frame.hops.get(hopKey(chain.name, hop.role)) ?? []);
  const colour = chain.colour % CHAIN_COLOURS;
  return (
    <g
      className={`sf-chain sf-chain--${colour} ${props.apart ? 'sf-apart' : ''}`}
      data-chain={chain.name}
      data-hops={chain.hops.length}
    >
      {chainSegments(boxes, props.lane, props.lanes).map((segment, i) => (
        <g key={i}>
          <path d={segment.d} className="sf-chain__halo" />
          <path d={segment.d} className="sf-chain__line" markerEnd={`url(#arrow-${chain.colour})`} />
          <path d={segment.d} className="sf-chain__flow" />
        </g>
      ))}
    </g>
  );
}
