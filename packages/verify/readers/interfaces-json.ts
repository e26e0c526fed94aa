import { macAddress } from '../filter/addresses.ts';
import { LineLedger } from '../read/ledger.ts';
import { countLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { addressOf, bridgeOf, bridgePortOf, otherKinds, type ReadInterface, type Vxlan } from './linux/interface.ts';
import { type Json, jsonList } from './linux/json.ts';
import { linuxAddress } from './linux/words.ts';

/** `ip -j [-d] addr` and `ip -j [-d] link`. The names of other namespaces are not in it, only their numbers. */
export function listedInterfaces(file: InputFile): Reading<readonly ReadInterface[]> {
  const ledger = new LineLedger(file.path, 'ip addr', countLines(file));
  ledger.used(1);
  const found = jsonList(file).flatMap((one): readonly ReadInterface[] => {
    const { ifname } = one;
    if (typeof ifname !== 'string') return [];
    const info = one['linkinfo'] as Json | undefined;
    const kind = text(info?.['info_kind']);
    const vxlan = kind === 'vxlan' ? vxlanOf((one['linkinfo'] as Json)['info_data']) : undefined;
    if (kind === 'vxlan' && vxlan === undefined)
      ledger.notUnderstood(1, `${ifname}: a VXLAN of a kind that is not modelled`);
    if (kind !== undefined && otherKinds.has(kind))
      ledger.notUnderstood(1, `${ifname} is an interface of the kind ${kind}`);
    const flags = Array.isArray(one['flags']) ? one['flags'] : [];
    const mac = one['link_type'] === 'ether' ? macAddress(text(one['address']) ?? '') : undefined;
    const master = text(one['master']);
    const peer = peerOf(one);
    return [
      {
        name: ifname,
        addresses: addressesOf(one['addr_info']),
        up: flags.includes('UP') && !flags.includes('NO-CARRIER'),
        ...(typeof one['ifindex'] === 'number' ? { index: one['ifindex'] } : {}),
        ...(typeof one['mtu'] === 'number' ? { mtu: { bytes: one['mtu'], source: ledger.at(1, ifname) } } : {}),
        ...(mac === undefined ? {} : { mac }),
        ...(master === undefined ? {} : { master }),
        ...(peer === undefined ? {} : { peer }),
        ...(kind === undefined ? {} : { kind }),
        ...(vxlan === undefined ? {} : { vxlan }),
        ...(kind === 'bridge' ? { bridge: bridgeOf(settingsOf(info?.['info_data'])) } : {}),
        ...(info?.['info_slave_kind'] === 'bridge'
          ? { bridgePort: bridgePortOf(settingsOf(info['info_slave_data'])) }
          : {}),
      },
    ];
  });
  return { value: found, reading: ledger.reading() };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Numbers and switches in the words in which `ip` prints them. */
const settingsOf = (data: unknown) => (name: string) => {
  const value = typeof data === 'object' && data !== null ? (data as Json)[name] : undefined;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'number' ? String(value) : text(value);
};

function peerOf(one: Json): ReadInterface['peer'] {
  const name = text(one['link']);
  if (name !== undefined) return { name };
  return typeof one['link_index'] === 'number' ? { index: one['link_index'] } : undefined;
}

function addressesOf(list: unknown): ReadInterface['addresses'] {
  if (!Array.isArray(list)) return [];
  return (list as readonly Json[]).flatMap((one) => {
    const address = addressOf(`${text(one['local']) ?? ''}/${String(one['prefixlen'])}`);
    return address === undefined ? [] : [address];
  });
}

function vxlanOf(data: unknown): Vxlan | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const values = data as Json;
  const strange = ['external', 'gbp', 'gpe', 'proxy', 'rsc', 'group', 'vnifilter'].some((key) => values[key] === true);
  if (strange || typeof values['id'] !== 'number' || typeof values['port'] !== 'number') return undefined;
  const address = (key: string) => linuxAddress(text(values[key]) ?? '');
  const [local, remote] = [address('local') ?? address('local6'), address('remote') ?? address('remote6')];
  return {
    id: values['id'],
    port: values['port'],
    learning: values['learning'] !== false,
    ...(local === undefined ? {} : { local }),
    ...(remote === undefined ? {} : { remote }),
  };
}
