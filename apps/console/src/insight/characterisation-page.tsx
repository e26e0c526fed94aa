import './insight.css';
import './characterisation.css';
import type { CallReply, CharacterisationReport } from '@superfluidity/api';
import { PageSection } from '@patternfly/react-core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useQueriesOf } from '../data/queries.ts';
import { useClient } from '../data/session.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { useConfirm } from '../ui/confirm.tsx';
import { ErrorView, errorBodyOf } from '../ui/error-view.tsx';
import { Ago } from '../ui/facts.tsx';
import { Found } from '../ui/found.tsx';
import { PageHead } from '../ui/page-head.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatCount, formatPercent } from '../view-model/format.ts';
import { BoxPlot } from './box-plot.tsx';
import { ClassTable, ConfigurationTable, RuleTable } from './characterisation-tables.tsx';

/** One report: the cheapest deployment of each class, what was measured, and by which rules. */
export function CharacterisationPage() {
  const { name } = useParams({ from: '/insight/characterisations/$name' });
  const query = useQuery(useQueriesOf().characterisation(name));
  return (
    <Found query={query} kind="characterisation" name={name} list={{ to: '/insight', title: 'Insight' }}>
      {(report) => <Shown report={report} />}
    </Found>
  );
}

/** Colours of classes, the best first; what is in no class has none. */
const COLOURS = ['--sf-answer-1', '--sf-answer-0', '--sf-answer-2', '--sf-answer-3'] as const;
const PLAIN = '--sf-text-subtle';

function Shown({ report }: { readonly report: CallReply<'getCharacterisation'> }) {
  const client = useClient();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const confirm = useConfirm();
  const design = useMutation({
    mutationFn: (descriptor: string) => {
      const file = { path: 'service.yaml', base64: toBase64(descriptor) };
      return client.call('addDescriptor', { body: { files: [file] } });
    },
    onSuccess: ({ id }) => navigate({ to: '/designer', search: { descriptor: id } }),
  });
  const colourOf = (label: string) => {
    const at = report.classes.findIndex((one) => one.name === label);
    return `var(${label === 'None' || at < 0 ? PLAIN : COLOURS[at % COLOURS.length]})`;
  };
  const figures: readonly (readonly [string, string])[] = [
    ['Experiments', formatCount(report.experiments)],
    ['Configurations', `${formatCount(report.measured)} of ${formatCount(report.all)}`],
    ['Samples', formatCount(report.samples)],
    ['Outliers', formatCount(report.outliers)],
    ['Rules right', formatPercent(report.accuracy)],
  ];
  return (
    <>
      <PageHead
        title={report.name}
        parent={{ to: '/insight', title: 'Insight' }}
        about={
          <>
            Experiments with {report.service} by {report.useCase}, published <Ago at={report.updatedAt} />.
          </>
        }
        actions={
          <ActionButton
            variant="secondary"
            isDanger
            onClick={() =>
              confirm({
                title: `Delete the report ${report.name}?`,
                body: 'It can be published again as long as the results of its experiments are there.',
                verb: 'Delete',
                danger: true,
                act: async () => {
                  await client.call('removeCharacterisation', { params: { name: report.name } });
                  await navigate({ to: '/insight', search: { tab: 'characterisation' } });
                  await cache.invalidateQueries({ queryKey: ['characterisations'] });
                },
              })
            }
          >
            Delete
          </ActionButton>
        }
      />
      <PageSection className="sf-section sf-stack" hasBodyWrapper={false}>
        <Panel title="The cheapest configuration of each class">
          <dl className="sf-figures">
            {figures.map(([title, value]) => (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {report.warnings.map((warning) => (
            <p key={warning} className="sf-boxes__warning" role="note">
              {warning}
            </p>
          ))}
          <ClassTable
            report={report}
            colourOf={colourOf}
            isPending={design.isPending}
            onDesign={(descriptor) => design.mutate(descriptor)}
          />
          {design.isError && <ErrorView error={errorBodyOf(design.error)} />}
        </Panel>
        <Panel title="What was measured" aside={<span className="sf-subtle">★ chosen, - - bounds of classes</span>}>
          {report.metrics.map((metric) => (
            <BoxPlot
              key={metric.name}
              metric={metric}
              configurations={report.configurations}
              labelOf={(one) => `${valuesOf(one)} (${one.cost})`}
              colourOf={colourOf}
            />
          ))}
        </Panel>
        <Panel title="Rules" aside={<span className="sf-subtle">which configurations are in which class</span>}>
          <RuleTable label="Rules" rules={report.rules} colourOf={colourOf} />
        </Panel>
        {report.usage !== undefined && (
          <Panel
            title="What the infrastructure tells"
            aside={<span className="sf-subtle">right about {formatPercent(report.usage.accuracy)}</span>}
          >
            <RuleTable label="Rules of the infrastructure" rules={report.usage.rules} colourOf={colourOf} />
          </Panel>
        )}
        <Panel title="Configurations" aside={<span className="sf-subtle">by cost</span>}>
          <ConfigurationTable report={report} colourOf={colourOf} />
        </Panel>
      </PageSection>
    </>
  );
}

/** `vm_ram=2048 vnic_type=direct` without the names. */
const valuesOf = ({ text }: CharacterisationReport['configurations'][number]) =>
  text
    .split(' ')
    .map((part) => part.slice(part.indexOf('=') + 1))
    .join(' ');

function toBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}
