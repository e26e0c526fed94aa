import { BoltIcon } from '@patternfly/react-icons/dist/esm/icons/bolt-icon';
import type { Node, NodeProps } from '@xyflow/react';
import { EnvironmentIcon, environmentNames } from '../ui/environment.tsx';
import { Meter } from '../ui/meter.tsx';
import { StateIcon } from '../ui/state-icon.tsx';
import { formatAmount, formatCount, formatPercent } from '../view-model/format.ts';
import type { CountMember, TopologyHost, TopologySite, UnitMember, UnitState } from '../view-model/topology.ts';

export type SiteNode = Node<{ readonly site: TopologySite }, 'site'>;
export type HostNode = Node<{ readonly host: TopologyHost }, 'host'>;
export type UnitNode = Node<
  { readonly member: UnitMember; readonly selected: boolean; readonly onSelect: (id: string) => void },
  'unit'
>;
export type CountNode = Node<{ readonly member: CountMember }, 'count'>;
export type TopologyNode = SiteNode | HostNode | UnitNode | CountNode;

function SiteBox({ data: { site } }: NodeProps<SiteNode>) {
  return (
    <div className={`sf-site ${site.healthy ? '' : 'sf-site--ill'}`} data-site={site.name}>
      <div className="sf-site__head">
        <strong>{site.name}</strong>
        <span>{site.kind}</span>
        {!site.healthy && <em>does not answer</em>}
        <span className="sf-site__count">{formatAmount(site.hostCount, 'host')}</span>
      </div>
    </div>
  );
}

function HostBox({ data: { host } }: NodeProps<HostNode>) {
  return (
    <div className="sf-host" data-host={host.id}>
      <div className="sf-host__head">
        <span className="sf-host__name">{host.label}</span>
        {!host.schedulable && <em>closed</em>}
        <span
          className="sf-host__meters"
          title={`CPU ${formatPercent(host.cpu)}, memory ${formatPercent(host.memory)}`}
        >
          <Meter small label="CPU" used={host.cpu} />
          <Meter small label="mem" used={host.memory} />
        </span>
      </div>
      {host.members.length === 0 && <p className="sf-host__idle">no units</p>}
    </div>
  );
}

const stateNames: Readonly<Record<UnitState, string>> = {
  starting: 'starting',
  running: 'running',
  draining: 'draining',
  failed: 'failed',
  stopped: 'stopped',
};

function UnitBox({ data: { member, selected, onSelect } }: NodeProps<UnitNode>) {
  const { unit } = member;
  const [group, name] = splitPath(unit.path);
  const address = unit.ports[0]?.address;
  const told = `${environmentNames[unit.environment]}, ${stateNames[unit.state]}, on ${unit.site}/${unit.host}`;
  return (
    <button
      type="button"
      className={`sf-unit sf-unit--${unit.state} sf-env-edge--${unit.environment} nopan`}
      data-unit={member.role}
      data-at={unit.site}
      data-state={unit.state}
      aria-pressed={selected}
      onClick={() => onSelect(member.id)}
    >
      <span className="sf-unit__row">
        <EnvironmentIcon of={unit.environment} />
        <span className="sf-unit__text">
          <span className="sf-unit__group">{group ?? environmentNames[unit.environment]}</span>
          <span className="sf-unit__name">
            <strong>{name}</strong>
            {unit.index > 0 && <span>#{unit.index}</span>}
          </span>
        </span>
        <StateIcon of="unit" state={unit.state} />
      </span>
      <span className="sf-offscreen">{unit.pooled ? `${told}, from the pool` : told}</span>
      <span className="sf-unit__row">
        <span className="sf-unit__address">{address ?? stateNames[unit.state]}</span>
        {unit.pooled && (
          <span className="sf-unit__pooled" title="Came ready-made out of the pool">
            <BoltIcon aria-hidden />
          </span>
        )}
      </span>
    </button>
  );
}

function CountBox({ data: { member } }: NodeProps<CountNode>) {
  const [group, name] = splitPath(member.path);
  const states = Object.entries(member.byState) as [UnitState, number][];
  return (
    <div
      className={`sf-unit sf-unit--count sf-env-edge--${member.environment}`}
      data-count={member.path}
      role="img"
      aria-label={`${member.count} units of ${member.path}: ${states.map(([state, count]) => `${count} ${state}`).join(', ')}`}
    >
      <span className="sf-unit__row">
        <EnvironmentIcon of={member.environment} />
        <span className="sf-unit__text">
          <span className="sf-unit__group">{group ?? environmentNames[member.environment]}</span>
          <span className="sf-unit__name">
            <strong>{name}</strong>
          </span>
        </span>
        <span className="sf-unit__number">×{formatCount(member.count)}</span>
      </span>
      <span className="sf-unit__shares">
        {states.map(([state, count]) => (
          <span key={state} className={`sf-share sf-share--${state}`} style={{ flexGrow: count }} />
        ))}
      </span>
    </div>
  );
}

function splitPath(path: string): readonly [string | undefined, string] {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? [undefined, path] : [path.slice(0, slash), path.slice(slash + 1)];
}

export const nodeTypes = { site: SiteBox, host: HostBox, unit: UnitBox, count: CountBox };
