import './units.css';
import { Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { useNavigate } from '@tanstack/react-router';
import { tabOf } from '../ui/page-tabs.tsx';
import { UnitLog } from './unit-log.tsx';
import { UnitTerminal } from './unit-terminal.tsx';
import { UnitUsage } from './unit-usage.tsx';

const parts = { log: 'Log', usage: 'Use', terminal: 'Terminal' } as const;
const CONTENT = 'unit-panel';

/** One unit beside the list: which part of it is shown stands in the address. */
export function UnitPanel(props: {
  readonly service: string;
  readonly unit: string;
  readonly show: string | undefined;
}) {
  const { service, unit } = props;
  const navigate = useNavigate({ from: '/services/$name' });
  const now = tabOf(parts, props.show);
  return (
    <div className="sf-unit-panel">
      <Tabs
        activeKey={now}
        aria-label="Parts of the unit"
        onSelect={(_event, key) =>
          void navigate({ search: (before) => ({ ...before, show: key === 'log' ? undefined : String(key) }) as never })
        }
      >
        {Object.entries(parts).map(([name, title]) => (
          <Tab key={name} eventKey={name} tabContentId={CONTENT} title={<TabTitleText>{title}</TabTitleText>} />
        ))}
      </Tabs>
      <div id={CONTENT} role="tabpanel" aria-label={parts[now]} className="sf-unit-panel__content">
        {now === 'log' && <UnitLog service={service} unit={unit} />}
        {now === 'usage' && <UnitUsage service={service} unit={unit} />}
        {now === 'terminal' && <UnitTerminal service={service} unit={unit} />}
      </div>
    </div>
  );
}
