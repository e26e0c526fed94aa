import type { Path } from '@superfluidity/dialects/languages';
import { parseIpv4Prefix, type Service, unitsOf } from '@superfluidity/model';
import type { Document } from 'yaml';
import { addNetwork, freeName, setField } from '../../designer/core/edits.ts';
import { inside, type Placed, type Reading, readVersion } from '../../designer/core/reading.ts';
import {
  append,
  type Edited,
  editYaml,
  listAt,
  Refused,
  removeAt,
  set,
  valueAt,
} from '../../designer/core/yaml-edit.ts';

/** A change of the networks of a service, as it is made of its descriptor. */
export type NetworkEdit =
  | { readonly kind: 'add-network'; readonly name: string; readonly prefix: string }
  | { readonly kind: 'remove-network'; readonly name: string }
  | { readonly kind: 'set-prefix'; readonly name: string; readonly prefix: string }
  | { readonly kind: 'set-mtu'; readonly name: string; readonly mtu: number | undefined }
  | { readonly kind: 'attach'; readonly unit: string; readonly network: string }
  | { readonly kind: 'detach'; readonly unit: string; readonly port: string }
  | { readonly kind: 'move-port'; readonly unit: string; readonly port: string; readonly network: string }
  | { readonly kind: 'set-bandwidth'; readonly unit: string; readonly port: string; readonly mbps: number | undefined };

export const read = (text: string): Reading => readVersion({ text, language: 'native' });

/** Applies the edit to the text, and leaves every line that has nothing to do with it as it was written. */
export function editNetworks(text: string, edit: NetworkEdit): Edited {
  const reading = read(text);
  const { service } = reading;
  if (service === undefined) return { refused: 'the descriptor cannot be read: mend it in the designer first' };
  return editYaml(text, (document) => apply(document, reading, service, edit));
}

function apply(document: Document, reading: Reading, service: Service, edit: NetworkEdit): void {
  switch (edit.kind) {
    case 'add-network':
      if (service.networks.some(({ name }) => name === edit.name))
        throw new Refused(`there is a network '${edit.name}'`);
      checkPrefix(edit.prefix);
      addNetwork(document, { name: edit.name, prefix: edit.prefix });
      return;
    case 'remove-network': {
      const users = unitsOf(service).filter(({ unit }) => unit.ports.some(({ network }) => network === edit.name));
      if (users.length > 0)
        throw new Refused(
          `${users.map(({ path }) => path).join(', ')} have ports on '${edit.name}': detach them first`,
        );
      removeAt(document, networkAt(service, edit.name));
      return;
    }
    case 'set-prefix':
      checkPrefix(edit.prefix);
      set(document, [...networkAt(service, edit.name), 'prefix'], edit.prefix);
      return;
    case 'set-mtu':
      if (edit.mtu !== undefined && (!Number.isInteger(edit.mtu) || edit.mtu < 576 || edit.mtu > 65_535))
        throw new Refused('an MTU is a whole number from 576 to 65535');
      setField(document, [...networkAt(service, edit.name), 'mtu'], edit.mtu);
      return;
    case 'attach': {
      networkAt(service, edit.network);
      const path = portsAt(reading, service, edit.unit);
      const names = portNames(listAt(document, path));
      const next = `eth${names.length}`;
      const name = freeName(next, names);
      append(document, path, name === next ? edit.network : { name, network: edit.network });
      return;
    }
    case 'detach': {
      const path = portAt(document, reading, service, edit);
      const [place, list] = [Number(path.at(-1)), path.slice(0, -1)];
      // Ports behind it that have their names by their places keep them.
      for (const [i, port] of listAt(document, list).entries())
        if (i > place && typeof port === 'string') set(document, [...list, i], { name: `eth${i}`, network: port });
      removeAt(document, path);
      return;
    }
    case 'move-port': {
      networkAt(service, edit.network);
      const path = portAt(document, reading, service, edit);
      if (typeof valueAt(document, path) === 'string') set(document, path, edit.network);
      else set(document, [...path, 'network'], edit.network);
      return;
    }
    case 'set-bandwidth':
      if (edit.mbps !== undefined && !(edit.mbps > 0)) throw new Refused('a bandwidth is more than 0 Mb/s');
      setField(document, [...portAt(document, reading, service, edit), 'bandwidthMbps'], edit.mbps);
      return;
  }
}

function checkPrefix(prefix: string): void {
  if (parseIpv4Prefix(prefix) === undefined) throw new Refused(`'${prefix}' is no IPv4 prefix, as 10.60.0.0/16 is one`);
}

function networkAt(service: Service, name: string): Path {
  const at = service.networks.findIndex((network) => network.name === name);
  if (at === -1) throw new Refused(`there is no network '${name}'`);
  return ['service', 'networks', at];
}

function portsAt(reading: Reading, service: Service, unit: string): Path {
  const found = everything({ block: service.block, at: '', path: '' }).find(({ path }) => path === unit);
  if (found === undefined) throw new Refused(`there is no unit '${unit}'`);
  return [...reading.documentPath(found.at), 'ports'];
}

const everything = (placed: Placed): readonly Placed[] => [placed, ...inside(placed).flatMap(everything)];

function portAt(
  document: Document,
  reading: Reading,
  service: Service,
  { unit, port }: { readonly unit: string; readonly port: string },
): Path {
  const path = portsAt(reading, service, unit);
  const place = portNames(listAt(document, path)).indexOf(port);
  if (place === -1) throw new Refused(`'${unit}' has no port '${port}'`);
  return [...path, place];
}

const portNames = (ports: readonly unknown[]): readonly string[] =>
  ports.map((port, i) =>
    typeof port === 'string' ? `eth${i}` : String((port as { name?: unknown } | null)?.name ?? `eth${i}`),
  );

/** What the editor shows: networks, and the ports of units, as the text says. */
export interface DraftNetworks {
  readonly networks: readonly {
    readonly name: string;
    readonly prefix: string;
    readonly mtu?: number;
    readonly ports: number;
  }[];
  readonly ports: readonly DraftPort[];
  readonly units: readonly string[];
  readonly errors: readonly string[];
}

export interface DraftPort {
  readonly unit: string;
  readonly port: string;
  readonly network?: string;
  readonly address?: string;
  readonly mbps?: number;
}

export function draftOf(text: string): DraftNetworks {
  const { service, problems } = read(text);
  const errors = problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message, path }) => `${path}: ${message}`);
  if (service === undefined) return { networks: [], ports: [], units: [], errors };
  const units = unitsOf(service);
  const ports = units.flatMap(({ path, unit }) =>
    unit.ports.map(
      ({ name, network, address, bandwidthMbps }): DraftPort => ({
        unit: path,
        port: name,
        ...(network === undefined ? {} : { network }),
        ...(address === undefined ? {} : { address }),
        ...(bandwidthMbps === undefined ? {} : { mbps: bandwidthMbps }),
      }),
    ),
  );
  const networks = service.networks.map(({ name, prefix, mtu }) => ({
    name,
    prefix,
    ...(mtu === undefined ? {} : { mtu }),
    ports: ports.filter(({ network }) => network === name).length,
  }));
  return { networks, ports, units: units.map(({ path }) => path), errors };
}

/** What was changed from one text to the other, in words. */
export function changesBetween(before: string, after: string): readonly string[] {
  const [old, now] = [draftOf(before), draftOf(after)];
  const words: string[] = [];
  for (const { name, prefix, mtu } of now.networks) {
    const was = old.networks.find((one) => one.name === name);
    if (was === undefined) words.push(`network ${name} (${prefix}) is new`);
    else {
      if (was.prefix !== prefix) words.push(`network ${name} has ${prefix} instead of ${was.prefix}`);
      if (was.mtu !== mtu) words.push(`network ${name} has an MTU of ${mtu ?? 1_500} instead of ${was.mtu ?? 1_500}`);
    }
  }
  for (const { name } of old.networks)
    if (!now.networks.some((one) => one.name === name)) words.push(`network ${name} is removed`);
  const key = ({ unit, port }: DraftPort) => `${unit}.${port}`;
  for (const port of now.ports) {
    const was = old.ports.find((one) => key(one) === key(port));
    if (was === undefined) words.push(`${key(port)} is attached to ${port.network ?? 'nothing'}`);
    else {
      if (was.network !== port.network)
        words.push(`${key(port)} moves from ${was.network ?? 'nothing'} to ${port.network ?? 'nothing'}`);
      if (was.mbps !== port.mbps)
        words.push(`${key(port)} has ${port.mbps === undefined ? 'no limit' : `${port.mbps} Mb/s`}`);
    }
  }
  for (const port of old.ports)
    if (!now.ports.some((one) => key(one) === key(port)))
      words.push(`${key(port)} is detached from ${port.network ?? 'nothing'}`);
  return words;
}
