import type { Unit } from '@superfluidity/api';
import { Button } from '@patternfly/react-core';
import { TimesIcon } from '@patternfly/react-icons/dist/esm/icons/times-icon';
import { useQuery } from '@tanstack/react-query';
import { useQueriesOf } from '../data/queries.ts';
import { EnvironmentIcon, environmentNames } from '../ui/environment.tsx';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';

const LINES_SHOWN = 40;

/** One unit: where it is, its ports, and what it printed last. */
export function UnitDetails(props: { readonly service: string; readonly unit: Unit; readonly onClose: () => void }) {
  const { unit } = props;
  const output = useQuery(useQueriesOf().output(props.service, unit.id));
  return (
    <aside className="sf-details" aria-label={`Unit ${unit.path} ${unit.index}`}>
      <header>
        <EnvironmentIcon of={unit.environment} />
        <h3>
          {unit.path}#{unit.index}
        </h3>
        <Button variant="plain" aria-label="Close" icon={<TimesIcon />} onClick={props.onClose} />
      </header>
      <dl>
        <dt>State</dt>
        <dd>
          {unit.state}
          {unit.pooled && ', from the pool'}
        </dd>
        <dt>Runs as</dt>
        <dd>{environmentNames[unit.environment]}</dd>
        <dt>On</dt>
        <dd>
          {unit.site}/{unit.host}
        </dd>
        <dt>Id</dt>
        <dd>
          <code>{unit.id}</code>
        </dd>
      </dl>
      {unit.ports.map((port) => (
        <dl key={port.name} className="sf-details__port">
          <dt>{port.name}</dt>
          <dd>
            {port.address} <span className="sf-subtle">on {port.network}</span>
          </dd>
          <dt>MAC</dt>
          <dd>{port.mac}</dd>
          <dt>SID</dt>
          <dd>{port.sid}</dd>
        </dl>
      ))}
      <h4>Output</h4>
      {output.error !== null && <ErrorView error={errorBodyOf(output.error)} title="No output" />}
      {output.data?.lines.length === 0 && <p className="sf-subtle">It has printed nothing.</p>}
      {output.data !== undefined && output.data.lines.length > 0 && (
        <pre tabIndex={0}>{output.data.lines.slice(-LINES_SHOWN).join('\n')}</pre>
      )}
    </aside>
  );
}
