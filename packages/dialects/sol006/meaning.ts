import type { Block, Scale } from '@superfluidity/model';
import type { NativeRequirements, NativeUnitFragment } from '../native/schema.ts';
import type { Pools, Vdu, VnfDf } from './shape.ts';
import type { Style } from './style.ts';

/**
 * What parts of a VNFD mean in the model. The reader asks for it, and the writer too: what a unit carries of a descriptor
 * is written as it was as long as it means what the model says.
 */
export function plainOf(
  vdu: Pick<Vdu, 'sw-image-desc' | 'virtual-compute-desc' | 'virtual-storage-desc'>,
  pools: Pools,
  style: Style,
): NativeUnitFragment {
  const requirements = resourcesOf(vdu, pools);
  return {
    ...imageOf(vdu['sw-image-desc'], pools, style),
    ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
  };
}

/** Names of files; anything else is a name that the site or a registry knows. */
const FILE = /\.(?:qcow2|img|raw|vmdk|vdi|vhdx?|iso|ova|tar|t?gz|xz)$/i;
const ELSEWHERE = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/)|(?:^|\/)\.\.(?:\/|$)/i;

function imageOf(reference: string | undefined, pools: Pools, style: Style): NativeUnitFragment {
  const desc = pools['sw-image-desc']?.find(({ id }) => id === reference);
  // Of OSM the reference alone may name an image of the site.
  const image = desc?.image ?? desc?.name ?? (style === 'osm' ? reference : undefined);
  const environment = ['docker', 'oci'].includes(desc?.['container-format'] ?? '') ? 'container' : 'vm';
  if (image === undefined || image === '') return { environment };
  const inPackage = style === 'sol006' && desc?.image !== undefined && FILE.test(image) && !ELSEWHERE.test(image);
  const kind = !inPackage ? 'name' : environment === 'vm' ? 'disk' : 'oci';
  return { environment, image: `${kind}:${image}` };
}

function resourcesOf(
  vdu: Pick<Vdu, 'virtual-compute-desc' | 'virtual-storage-desc'>,
  pools: Pools,
): NativeRequirements {
  const compute = pools['virtual-compute-desc']?.find(({ id }) => id === vdu['virtual-compute-desc']);
  const cpu = compute?.['virtual-cpu']?.['num-virtual-cpu'];
  const memory = compute?.['virtual-memory']?.size;
  const storages = [vdu['virtual-storage-desc'] ?? []].flat();
  const sizes = [
    ...(compute?.['virtual-disk'] ?? []).map((disk) => disk['size-of-storage']),
    ...(pools['virtual-storage-desc'] ?? [])
      .filter(({ id }) => storages.includes(id))
      .map((storage) => storage['block-storage-data']?.['size-of-storage'] ?? storage['size-of-storage']),
  ];
  const storage = sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
  return {
    ...(cpu === undefined ? {} : { cpu: Number(cpu) }),
    ...(memory === undefined ? {} : { memoryMiB: Number(memory) * 1024 }),
    ...(storage === 0 ? {} : { storageMiB: storage * 1024 }),
  };
}

/** The deployment flavour of that name, else the first. */
export function flavourOf(pools: Pools, id: unknown): VnfDf | undefined {
  return pools.df?.find((df) => df.id === id) ?? pools.df?.[0];
}

/** The level of that name, else the default, else the first. */
export function levelOf(
  df: VnfDf | undefined,
  id: unknown,
): NonNullable<VnfDf['instantiation-level']>[number] | undefined {
  const levels = df?.['instantiation-level'] ?? [];
  return (
    levels.find((level) => level.id === id) ??
    levels.find((level) => level.id === df?.['default-instantiation-level']) ??
    levels[0]
  );
}

/** Numbers of instances; absent where there is always one. */
export function scaleOf(df: VnfDf | undefined, level: unknown, vduId: string): Scale | undefined {
  const profile = df?.['vdu-profile']?.find(({ id }) => id === vduId);
  const min = profile?.['min-number-of-instances'] ?? 1;
  const initial =
    levelOf(df, level)?.['vdu-level']?.find((entry) => entry['vdu-id'] === vduId)?.['number-of-instances'] ??
    Math.max(1, min);
  const max = profile?.['max-number-of-instances'] ?? Math.max(1, min, initial);
  return min === 1 && max === 1 && initial === 1 ? undefined : { initial, min, max };
}

export function sameScale(a: Scale | undefined, b: Scale | undefined): boolean {
  const one = { initial: 1, min: 1, max: 1 };
  const [x, y] = [a ?? one, b ?? one];
  return x.initial === y.initial && x.min === y.min && x.max === y.max;
}

interface Group {
  readonly id: string;
  readonly affinityorAntiaffinity?: string;
  readonly type?: string;
  readonly scope?: string;
}

interface Member {
  readonly id: string;
  readonly 'affinity-or-anti-affinity-group-id'?: readonly (string | { readonly id: string })[];
  readonly 'affinity-or-anti-affinity-group'?: readonly (string | { readonly id: string })[];
}

export type Affinity = NonNullable<NativeRequirements['affinity']>;

/**
 * What groups ask of a member, with the ids of the other members. Scopes between host and site (zones) and groups of one
 * member have no counterpart in the model.
 */
export function affinityOf(member: string, groups: readonly Group[] = [], members: readonly Member[] = []): Affinity {
  if (groups.length === 0) return [];
  const of = (one: Member | undefined) =>
    [...(one?.['affinity-or-anti-affinity-group-id'] ?? []), ...(one?.['affinity-or-anti-affinity-group'] ?? [])].map(
      (entry) => (typeof entry === 'string' ? entry : entry.id),
    );
  const mine = of(members.find(({ id }) => id === member));
  return groups.flatMap((group): Affinity => {
    const kind = { affinity: 'together', 'anti-affinity': 'apart' }[group.affinityorAntiaffinity ?? group.type ?? ''];
    const scope = { 'nfvi-node': 'host', 'nfvi-pop': 'site' }[group.scope ?? 'nfvi-node'];
    if (kind === undefined || scope === undefined || !mine.includes(group.id)) return [];
    const others = members.filter((one) => one.id !== member && of(one).includes(group.id)).map(({ id }) => id);
    return others.length === 0
      ? []
      : [{ kind: kind as 'together' | 'apart', scope: scope as 'host' | 'site', with: others }];
  });
}

type SecurityRule = NonNullable<Pools['security-group-rule']>[number];
type Allow = NonNullable<Block['ports'][number]['allow']>;

/** As many ports as a rule of the model may list to say what a range says. */
const PORTS_MAX = 256;

/** What may come in by a security group rule. Undefined where the model cannot say it: what may go out, IPv6, wide ranges. */
export function allowOf(rule: SecurityRule | undefined): Allow | undefined {
  if (rule === undefined || (rule.direction ?? 'ingress') !== 'ingress' || (rule['ether-type'] ?? 'ipv4') !== 'ipv4')
    return undefined;
  const protocol = (['tcp', 'udp', 'icmp'] as const).find((one) => one === (rule.protocol ?? 'tcp'));
  const from = rule['port-range-min'] ?? 0;
  const to = rule['port-range-max'] ?? 65_535;
  if (protocol === undefined) return undefined;
  if (protocol === 'icmp' || (from <= 1 && to === 65_535)) return [{ protocol }];
  if (from < 1 || to > 65_535 || to < from || to - from >= PORTS_MAX) return undefined;
  return [{ protocol, ports: Array.from({ length: to - from + 1 }, (_, i) => from + i) }];
}

/** A range that says what a list of ports does; undefined where there are gaps. */
export function rangeOf(ports: readonly number[]): readonly [number, number] | undefined {
  const [from, to] = [ports[0], ports.at(-1)];
  if (from === undefined || to === undefined) return [0, 65_535];
  return ports.length < PORTS_MAX && ports.every((port, i) => port === from + i) ? [from, to] : undefined;
}
