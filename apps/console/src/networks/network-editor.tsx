import { Button, FormSelect, FormSelectOption, TextInput } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { Alert } from '@patternfly/react-core';
import { Panel } from '../ui/panel.tsx';
import { freePrefix } from '../designer/core/edits.ts';
import type { NetworkDraft } from './use-network-draft.ts';

/** Networks and ports as they shall be. Nothing is changed before it is pushed. */
export function NetworkEditor({ draft, busy }: { readonly draft: NetworkDraft; readonly busy: boolean }) {
  const { networks, ports, units, errors } = draft.draft;
  const names = networks.map(({ name }) => name);
  return (
    <>
      <Panel title="Networks" className="sf-panel--edit">
        {draft.refusal !== undefined && <Alert isInline variant="warning" component="h3" title={draft.refusal} />}
        {errors.length > 0 && <Alert isInline variant="danger" component="h3" title={errors[0]!} />}
        {busy && (
          <Alert isInline variant="info" component="h3" title="An operation is under way: push when it is over" />
        )}
        <Table variant="compact" gridBreakPoint="" aria-label="Networks as they shall be">
          <Thead>
            <Tr>
              <Th>Network</Th>
              <Th>Prefix</Th>
              <Th>MTU</Th>
              <Th>Ports</Th>
              <Th screenReaderText="Actions" />
            </Tr>
          </Thead>
          <Tbody>
            {networks.map(({ name, prefix, mtu, ports: count }) => (
              <Tr key={name} data-network={name}>
                <Td dataLabel="Network">{name}</Td>
                <Td dataLabel="Prefix">
                  <Field
                    label={`Prefix of ${name}`}
                    value={prefix}
                    onSet={(value) => draft.edit({ kind: 'set-prefix', name, prefix: value })}
                  />
                </Td>
                <Td dataLabel="MTU">
                  <Field
                    label={`MTU of ${name}`}
                    value={mtu === undefined ? '' : String(mtu)}
                    placeholder="1500"
                    onSet={(value) => draft.edit({ kind: 'set-mtu', name, mtu: numberOf(value) })}
                  />
                </Td>
                <Td dataLabel="Ports">{count}</Td>
                <Td isActionCell>
                  <Button
                    size="sm"
                    variant="secondary"
                    isDanger
                    aria-label={`Remove the network ${name}`}
                    onClick={() => draft.edit({ kind: 'remove-network', name })}
                  >
                    Remove
                  </Button>
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
        <NewNetwork draft={draft} />
      </Panel>
      <Panel title="Ports of units" className="sf-panel--edit">
        <Table variant="compact" gridBreakPoint="" aria-label="Ports as they shall be">
          <Thead>
            <Tr>
              <Th>Port</Th>
              <Th>On</Th>
              <Th>Mb/s at most</Th>
              <Th screenReaderText="Actions" />
            </Tr>
          </Thead>
          <Tbody>
            {ports.map(({ unit, port, network, mbps }) => (
              <Tr key={`${unit}.${port}`} data-port={`${unit}.${port}`}>
                <Td dataLabel="Port">
                  {unit} {port}
                </Td>
                <Td dataLabel="On">
                  <FormSelect
                    aria-label={`Network of ${unit} ${port}`}
                    value={network ?? ''}
                    onChange={(_event, to) => draft.edit({ kind: 'move-port', unit, port, network: to })}
                  >
                    {network === undefined && <FormSelectOption value="" label="no network" isDisabled />}
                    {names.map((name) => (
                      <FormSelectOption key={name} value={name} label={name} />
                    ))}
                  </FormSelect>
                </Td>
                <Td dataLabel="Mb/s at most">
                  <Field
                    label={`Bandwidth of ${unit} ${port}`}
                    value={mbps === undefined ? '' : String(mbps)}
                    placeholder="no limit"
                    onSet={(value) => draft.edit({ kind: 'set-bandwidth', unit, port, mbps: numberOf(value) })}
                  />
                </Td>
                <Td isActionCell>
                  <Button
                    size="sm"
                    variant="secondary"
                    aria-label={`Detach ${unit} ${port}`}
                    onClick={() => draft.edit({ kind: 'detach', unit, port })}
                  >
                    Detach
                  </Button>
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
        <NewPort draft={draft} units={units} networks={names} />
      </Panel>
    </>
  );
}

const numberOf = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text));

/** Said when it is left, or by Enter: half a prefix is none. */
function Field(props: {
  readonly label: string;
  readonly value: string;
  readonly placeholder?: string;
  readonly onSet: (value: string) => void;
}) {
  const { value, onSet } = props;
  const [typed, setTyped] = useState<string>();
  const done = () => {
    if (typed !== undefined && typed.trim() !== value) onSet(typed.trim());
    setTyped(undefined);
  };
  return (
    <TextInput
      aria-label={props.label}
      value={typed ?? value}
      {...(props.placeholder === undefined ? {} : { placeholder: props.placeholder })}
      onChange={(_event, text) => setTyped(text)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done();
      }}
    />
  );
}

function NewNetwork({ draft }: { readonly draft: NetworkDraft }) {
  const [name, setName] = useState('');
  const prefixes = draft.draft.networks.map(({ prefix }) => prefix);
  const [prefix, setPrefix] = useState<string>();
  const wanted = prefix ?? freePrefix(prefixes);
  return (
    <form
      className="sf-networks__new"
      onSubmit={(event) => {
        event.preventDefault();
        draft.edit({ kind: 'add-network', name, prefix: wanted });
        setName('');
        setPrefix(undefined);
      }}
    >
      <TextInput
        aria-label="Name of the new network"
        placeholder="Name"
        value={name}
        onChange={(_event, text) => setName(text)}
      />
      <TextInput aria-label="Prefix of the new network" value={wanted} onChange={(_event, text) => setPrefix(text)} />
      <Button type="submit" variant="secondary" isDisabled={name === ''}>
        Add network
      </Button>
    </form>
  );
}

function NewPort(props: {
  readonly draft: NetworkDraft;
  readonly units: readonly string[];
  readonly networks: readonly string[];
}) {
  const { draft, units, networks } = props;
  const [chosen, setChosen] = useState<{ readonly unit?: string; readonly network?: string }>({});
  const unit = chosen.unit ?? units[0] ?? '';
  const network = chosen.network ?? networks[0] ?? '';
  return (
    <form
      className="sf-networks__new"
      onSubmit={(event) => {
        event.preventDefault();
        draft.edit({ kind: 'attach', unit, network });
      }}
    >
      <FormSelect
        aria-label="Unit to attach"
        value={unit}
        onChange={(_event, value) => setChosen((before) => ({ ...before, unit: value }))}
      >
        {units.map((one) => (
          <FormSelectOption key={one} value={one} label={one} />
        ))}
      </FormSelect>
      <FormSelect
        aria-label="Network to attach it to"
        value={network}
        onChange={(_event, value) => setChosen((before) => ({ ...before, network: value }))}
      >
        {networks.map((one) => (
          <FormSelectOption key={one} value={one} label={one} />
        ))}
      </FormSelect>
      <Button type="submit" variant="secondary" isDisabled={unit === '' || network === ''}>
        Attach
      </Button>
    </form>
  );
}
