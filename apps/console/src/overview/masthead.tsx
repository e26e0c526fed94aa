import type { Service } from '@superfluidity/api';
import { Button, FormSelect, FormSelectOption, Tooltip } from '@patternfly/react-core';
import { MoonIcon } from '@patternfly/react-icons/dist/esm/icons/moon-icon';
import { SunIcon } from '@patternfly/react-icons/dist/esm/icons/sun-icon';
import { useQuery } from '@tanstack/react-query';
import { useQueriesOf } from '../data/queries.ts';
import { type Reachability, useSession } from '../data/session.tsx';
import { useStore } from '../data/store.ts';
import { theme, toggleTheme } from '../data/theme.ts';
import { Brand } from '../ui/brand.tsx';

const reachabilityWords: Readonly<Record<Reachability, string>> = {
  connecting: 'connecting',
  live: 'live',
  silent: 'no answer',
  refused: 'token refused',
};

export function Masthead(props: {
  readonly services: readonly Service[];
  readonly service: string | undefined;
  readonly onService: (name: string) => void;
}) {
  const reachability = useStore(useSession().reachability);
  const system = useQuery(useQueriesOf().system);
  const shown = useStore(theme);
  const other = shown === 'dark' ? 'light' : 'dark';
  return (
    <header className="sf-masthead">
      <a className="sf-skip" href="#main">
        Skip to the content
      </a>
      <Brand />
      {props.service !== undefined && (
        <label className="sf-switcher">
          <span>Service</span>
          <FormSelect
            aria-label="Service shown"
            value={props.service}
            onChange={(_event, value) => props.onService(value)}
          >
            {!props.services.some((service) => service.name === props.service) && (
              <FormSelectOption value={props.service} label={props.service} />
            )}
            {props.services.map((service) => (
              <FormSelectOption key={service.id} value={service.name} label={service.name} />
            ))}
          </FormSelect>
        </label>
      )}
      <div className="sf-masthead__end">
        <span className={`sf-reach sf-reach--${reachability}`} role="status">
          <i aria-hidden="true" />
          {reachabilityWords[reachability]}
        </span>
        {system.data !== undefined && (
          <Tooltip content={`${system.data.executor}, database ${system.data.database}`}>
            <span className="sf-version" tabIndex={0}>
              {system.data.version}
            </span>
          </Tooltip>
        )}
        <Button
          variant="plain"
          aria-label={`Switch to the ${other} theme`}
          icon={other === 'dark' ? <MoonIcon /> : <SunIcon />}
          onClick={toggleTheme}
        />
      </div>
    </header>
  );
}
