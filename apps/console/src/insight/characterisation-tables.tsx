import type { CharacterisationReport } from '@superfluidity/api';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { ActionButton } from '../ui/action-button.tsx';
import { Empty } from '../ui/empty.tsx';
import { shortNumber } from '../view-model/box-plot.ts';
import { formatCount, formatPercent } from '../view-model/format.ts';

type ColourOf = (label: string) => string;
const ROWS_MAX = 100;

function ClassName({ name, colourOf }: { readonly name: string; readonly colourOf: ColourOf }) {
  return (
    <span className="sf-class" style={{ borderColor: colourOf(name) }}>
      {name}
    </span>
  );
}

export function ClassTable(props: {
  readonly report: CharacterisationReport;
  readonly colourOf: ColourOf;
  readonly isPending: boolean;
  readonly onDesign: (descriptor: string) => void;
}) {
  const { report, colourOf, isPending, onDesign } = props;
  return (
    <Table variant="compact" gridBreakPoint="grid-md" aria-label="Classes">
      <Thead>
        <Tr>
          <Th>Class</Th>
          <Th>Cost</Th>
          <Th>Configuration</Th>
          <Th>Within its bounds</Th>
          <Th>Key</Th>
          <Th screenReaderText="What can be done" />
        </Tr>
      </Thead>
      <Tbody>
        {report.classes.map(({ name, cost, configuration, share, interval, keys, descriptor }) => (
          <Tr key={name} data-row={name}>
            <Td dataLabel="Class">
              <ClassName name={name} colourOf={colourOf} />
            </Td>
            <Td dataLabel="Cost">{cost === undefined ? '–' : shortNumber(cost)}</Td>
            <Td dataLabel="Configuration">
              <code>
                {configuration === undefined
                  ? '–'
                  : Object.entries(configuration)
                      .map(([parameter, value]) => `${parameter}=${String(value)}`)
                      .join(' ')}
              </code>
            </Td>
            <Td dataLabel="Within its bounds">
              {share === undefined ? '–' : formatPercent(share)}
              {interval !== undefined && (
                <span className="sf-subtle">
                  {' '}
                  ({formatPercent(interval[0]!)} to {formatPercent(interval[1]!)})
                </span>
              )}
            </Td>
            <Td dataLabel="Key">{keys.join(', ')}</Td>
            <Td>
              {configuration !== undefined && (
                <ActionButton
                  variant="secondary"
                  size="sm"
                  aria-label={`Design ${name}`}
                  permission={
                    descriptor === undefined
                      ? { allowed: false, reason: 'The report has no descriptor: that of the service was not at hand.' }
                      : isPending
                        ? { allowed: false, reason: 'It is being put into the catalogue.' }
                        : { allowed: true }
                  }
                  onClick={() => onDesign(descriptor!)}
                >
                  Design…
                </ActionButton>
              )}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

export function RuleTable(props: {
  readonly label: string;
  readonly rules: CharacterisationReport['rules'];
  readonly colourOf: ColourOf;
}) {
  if (props.rules.length === 0) return <Empty title="Nothing tells the classes apart" />;
  return (
    <Table variant="compact" gridBreakPoint="grid-md" aria-label={props.label}>
      <Thead>
        <Tr>
          <Th width={50}>When</Th>
          <Th>Class</Th>
          <Th>Samples</Th>
          <Th>Of other classes</Th>
        </Tr>
      </Thead>
      <Tbody>
        {props.rules.slice(0, ROWS_MAX).map(({ text, label, samples, errors }) => (
          <Tr key={`${text} ${label}`}>
            <Td dataLabel="When">
              <code>{text}</code>
            </Td>
            <Td dataLabel="Class">
              <ClassName name={label} colourOf={props.colourOf} />
            </Td>
            <Td dataLabel="Samples">{formatCount(samples)}</Td>
            <Td dataLabel="Of other classes">{formatCount(errors)}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

export function ConfigurationTable(props: { readonly report: CharacterisationReport; readonly colourOf: ColourOf }) {
  const { configurations, metrics, measured } = props.report;
  const shown = configurations.slice(0, ROWS_MAX);
  return (
    <>
      <Table variant="compact" gridBreakPoint="grid-md" aria-label="Configurations">
        <Thead>
          <Tr>
            <Th width={40}>Configuration</Th>
            <Th>Cost</Th>
            <Th>Class</Th>
            <Th>Samples</Th>
            {metrics.map(({ name }) => (
              <Th key={name}>Median {name}</Th>
            ))}
          </Tr>
        </Thead>
        <Tbody>
          {shown.map(({ text, cost, label, samples, chosen, metrics: own }) => (
            <Tr key={text} isRowSelected={chosen}>
              <Td dataLabel="Configuration">
                <code>{text}</code>
              </Td>
              <Td dataLabel="Cost">{shortNumber(cost)}</Td>
              <Td dataLabel="Class">
                <ClassName name={label} colourOf={props.colourOf} />
              </Td>
              <Td dataLabel="Samples">{formatCount(samples)}</Td>
              {metrics.map(({ name }) => (
                <Td key={name} dataLabel={`Median ${name}`}>
                  {own[name] === undefined ? '–' : shortNumber(own[name][2]!)}
                </Td>
              ))}
            </Tr>
          ))}
        </Tbody>
      </Table>
      {shown.length < measured && (
        <p className="sf-subtle sf-boxes__warning">
          {shown.length} of {formatCount(measured)} are shown: the chosen ones and the cheapest.
        </p>
      )}
    </>
  );
}
