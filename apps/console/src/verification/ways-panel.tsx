import type { WaysReport } from '@superfluidity/api';
import { Button, FormGroup, FormSelect, FormSelectOption, Label, TextInput } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { useQueriesOf } from '../data/queries.ts';
import { errorBodyOf, ErrorView } from '../ui/error-view.tsx';
import { Expandable } from '../ui/expandable.tsx';
import { Panel } from '../ui/panel.tsx';
import { formatCount, formatMs } from '../view-model/format.ts';
import { placesOf, wayWords } from '../view-model/ways.ts';
import { PathView } from './proof-report.tsx';

interface Asked {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly packet?: string | undefined;
}

/** Whoever looks for a reason asks where packets go, of any place of the service; what was asked is in the address. */
export function WaysPanel(props: {
  readonly service: string;
  readonly realised: boolean;
  readonly asked: Asked;
  readonly onAsk: (asked: Asked) => void;
}) {
  const { service, realised, asked } = props;
  const q = useQueriesOf();
  const detail = useQuery(q.service(service)).data;
  const places = useMemo(() => (detail === undefined ? [] : placesOf(detail)), [detail]);
  const [typed, setTyped] = useState<Asked>(asked);
  // Back, or a link, asks something else.
  const [known, setKnown] = useState(asked);
  if (known.from !== asked.from || known.to !== asked.to || known.packet !== asked.packet) {
    setKnown(asked);
    setTyped(asked);
  }
  const from = typed.from ?? places[0]?.name ?? '';
  const { from: of, to, packet } = asked;
  const found = useQuery({ ...q.ways(service, { from: of ?? '', to, packet }, realised), enabled: of !== undefined });
  const ask = (event: FormEvent) => {
    event.preventDefault();
    props.onAsk({ from, to: typed.to || undefined, packet: typed.packet?.trim() || undefined });
  };
  const options = places.map(({ name, words }) => <FormSelectOption key={name} value={name} label={words} />);
  return (
    <Panel title="The way of packets">
      <form className="sf-ways__question" onSubmit={ask} aria-label="Whose packets, where to">
        <FormGroup label="From" fieldId="ways-from">
          <FormSelect id="ways-from" value={from} onChange={(_event, next) => setTyped({ ...typed, from: next })}>
            {options}
          </FormSelect>
        </FormGroup>
        <FormGroup label="To" fieldId="ways-to">
          <FormSelect id="ways-to" value={typed.to ?? ''} onChange={(_event, next) => setTyped({ ...typed, to: next })}>
            <FormSelectOption value="" label="anywhere" />
            {options}
          </FormSelect>
        </FormGroup>
        <FormGroup label="Which packets" fieldId="ways-packet">
          <TextInput
            id="ways-packet"
            value={typed.packet ?? ''}
            placeholder="all; or as for tcpdump: tcp dst port 80"
            onChange={(_event, next) => setTyped({ ...typed, packet: next })}
          />
        </FormGroup>
        <Button type="submit" variant="secondary" isDisabled={from === ''} isLoading={found.isFetching}>
          Follow them
        </Button>
      </form>
      {found.error !== null && <ErrorView error={errorBodyOf(found.error)} title="They cannot be followed" />}
      {found.error === null && found.data !== undefined && <Found report={found.data} />}
      {of === undefined && (
        <p className="sf-subtle sf-padded">
          The first packets of connections are followed from box to box, and so are their answers: where they arrive, or
          by which rule they do not.
        </p>
      )}
    </Panel>
  );
}

function Found({ report }: { readonly report: WaysReport }) {
  const { ways, found, bound, assumptions, tookMs } = report;
  return (
    <div className="sf-ways" data-ways={found}>
      <p role="status">
        {found === 0 ? 'There are no such packets' : `${formatCount(found)} ${found === 1 ? 'way' : 'ways'}`}
        {found > ways.length && `, of which ${ways.length} are shown`}
        {bound !== undefined && `; not all were found: ${bound}`}{' '}
        <span className="sf-subtle">in {formatMs(tookMs)}</span>
      </p>
      <ol className="sf-ways__list">
        {ways.map((way, i) => {
          const { colour, verdict, title } = wayWords(way);
          return (
            <li key={i} className="sf-way" data-way={verdict}>
              <Label isCompact color={colour}>
                {verdict}
              </Label>
              <Expandable title={title} open={i === 0}>
                <PathView path={way} />
              </Expandable>
            </li>
          );
        })}
      </ol>
      {assumptions.length > 0 && (
        <Expandable title={`Taken for granted, and not proven: ${assumptions.length}`}>
          <ul>
            {assumptions.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </Expandable>
      )}
    </div>
  );
}
