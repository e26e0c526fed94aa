/** A table of the database of Open vSwitch as `ovs-vsctl --format=json` prints it: values as in RFC 7047, section 5.1. */
export interface Rows {
  readonly headings: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

export interface Tables {
  readonly Bridge: Rows;
  readonly Port: Rows;
  readonly Interface: Rows;
}

/** What `verify` looks at. Options of tunnels may hold a secret (`psk`): nothing else is passed on. */
const KEPT: Readonly<Record<string, ReadonlySet<string>>> = {
  options: new Set(['peer', 'remote_ip', 'local_ip', 'in_key', 'out_key', 'key']),
  external_ids: new Set(['iface-id', 'attached-mac']),
};

/** As `ovsdb-client dump --format=json` has them, a table on each line. */
export function configurationOf(tables: Tables): string {
  return Object.entries(tables)
    .map(([name, { headings, data }]: [string, Rows]) => {
      const kept = data.map((row) => row.map((value, at) => only(KEPT[headings[at] ?? ''], value)));
      return `${JSON.stringify({ caption: `${name} table`, data: kept, headings })}\n`;
    })
    .join('');
}

function only(keys: ReadonlySet<string> | undefined, value: unknown): unknown {
  return keys === undefined ? value : ['map', [...mapOf(value)].filter(([key]) => keys.has(key))];
}

/**
 * Stations that are plugged into a bridge and that it has not learned, or not any more, in the form of `fdb/show`: a bridge forgets
 * who is silent for five minutes, and learns again with the first frame. Undefined when it knows all of them.
 */
export function stationsOf(tables: Tables, bridge: string, learned: string): string | undefined {
  const ports = tables.Port.data.map((row) => rowOf(tables.Port, row));
  const interfaces = tables.Interface.data.map((row) => rowOf(tables.Interface, row));
  const ofBridge = tables.Bridge.data.map((row) => rowOf(tables.Bridge, row)).find((row) => row['name'] === bridge);
  const own = new Set(idsOf(ofBridge?.['ports']));
  const rows = ports.flatMap((port) => {
    if (!own.has(idsOf(port['_uuid'])[0] ?? '')) return [];
    const its = new Set(idsOf(port['interfaces']));
    const at = interfaces.find((each) => its.has(idsOf(each['_uuid'])[0] ?? ''));
    const mac = mapOf(at?.['external_ids']).get('attached-mac')?.toLowerCase();
    const [tag, number] = [port['tag'], at?.['ofport']];
    if (mac === undefined || !/^[0-9a-f:]{17}$/.test(mac) || typeof tag !== 'number' || typeof number !== 'number')
      return [];
    const isKnown = new RegExp(String.raw`^\s*\S+\s+${tag}\s+${mac}\s`, 'm').test(learned);
    return isKnown ? [] : [`${number} ${tag} ${mac} static`];
  });
  return rows.length === 0 ? undefined : `${[' port  VLAN  MAC                Age', ...rows].join('\n')}\n`;
}

const rowOf = ({ headings }: Rows, row: readonly unknown[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(headings.map((name, at) => [name, row[at]]));

/** One value is a set of one. */
function idsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const [kind, content] = value as readonly unknown[];
  if (kind === 'uuid') return [String(content)];
  return kind === 'set' && Array.isArray(content) ? content.flatMap(idsOf) : [];
}

function mapOf(value: unknown): ReadonlyMap<string, string> {
  const pairs = Array.isArray(value) && value[0] === 'map' ? (value[1] as readonly (readonly [string, string])[]) : [];
  return new Map(pairs);
}
