import { LineLedger } from '../../read/ledger.ts';
import { countLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import type { SwitchPort, Vswitch } from './vswitch.ts';

type Row = ReadonlyMap<string, unknown>;

/** `ovsdb-client dump --format=json`: a table on each line, values as in RFC 7047, section 5.1. */
export function readDatabase(file: InputFile): Reading<Vswitch> {
  // A table is one line, however long.
  const ledger = new LineLedger(file.path, 'ovsdb-client dump', countLines(file));
  const lines = file.text.split('\n');
  const tables = new Map<string, readonly Row[]>();
  lines.forEach((text, i) => {
    if (text.trim() === '') return;
    const found = tableOf(text);
    if (found === undefined) return ledger.notUnderstood(i + 1, 'not a table');
    if (!['Bridge', 'Port', 'Interface'].includes(found.name)) {
      return ledger.withoutEffect(i + 1, 'does not decide where packets go');
    }
    tables.set(found.name, found.rows);
    ledger.used(i + 1);
  });
  const byId = (name: string) => new Map((tables.get(name) ?? []).map((row) => [identifier(row.get('_uuid')), row]));
  const [ports, interfaces] = [byId('Port'), byId('Interface')];
  const bridges = new Map<string, readonly SwitchPort[]>();
  for (const bridge of tables.get('Bridge') ?? []) {
    const rows = setOf(bridge.get('ports')).flatMap((id) => ports.get(identifier(id)) ?? []);
    const ofPort = (port: Row) => interfaces.get(identifier(setOf(port.get('interfaces'))[0]));
    bridges.set(
      String(bridge.get('name')),
      rows.map((port) => portOf(port, ofPort(port))),
    );
  }
  return { value: bridges, reading: ledger.reading() };
}

function tableOf(text: string): { readonly name: string; readonly rows: readonly Row[] } | undefined {
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (table === null || typeof table !== 'object') return undefined;
  const { caption, headings, data } = table as Readonly<Record<string, unknown>>;
  if (typeof caption !== 'string' || !Array.isArray(headings) || !Array.isArray(data)) return undefined;
  if (!data.every((row) => Array.isArray(row))) return undefined;
  const rows = data.map((row: readonly unknown[]) => new Map(headings.map((name, i) => [String(name), row[i]])));
  return { name: caption.replace(/ table$/, ''), rows };
}

/** One value is a set of one. */
function setOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value[0] === 'set' && Array.isArray(value[1]) ? value[1] : [value];
}

function identifier(value: unknown): string {
  return Array.isArray(value) && value[0] === 'uuid' ? String(value[1]) : '';
}

function portOf(port: Row, of: Row | undefined): SwitchPort {
  const numbers = (value: unknown) => setOf(value).filter((each) => typeof each === 'number');
  const [tag] = numbers(port.get('tag'));
  const trunks = numbers(port.get('trunks'));
  const [number] = numbers(of?.get('ofport'));
  const type = of?.get('type');
  const peer = ofMap(of?.get('options'), 'peer');
  const neutronPort = ofMap(of?.get('external_ids'), 'iface-id');
  return {
    name: String(port.get('name')),
    ...(number === undefined ? {} : { number }),
    ...(tag === undefined ? {} : { tag }),
    ...(trunks.length === 0 ? {} : { trunks }),
    ...(typeof type === 'string' && type !== '' ? { type } : {}),
    ...(peer === undefined ? {} : { peer }),
    ...(neutronPort === undefined ? {} : { neutronPort }),
  };
}

function ofMap(map: unknown, key: string): string | undefined {
  const pairs: readonly unknown[] = Array.isArray(map) && Array.isArray(map[1]) ? map[1] : [];
  const found = pairs.find((pair): pair is [string, unknown] => Array.isArray(pair) && pair[0] === key)?.[1];
  return found === undefined ? undefined : String(found);
}
