import type { Scale } from '@superfluidity/model';
import type { NativeRequirements } from '../native/schema.ts';
import type { Classifier, Interface, Vdu, Vnfd } from './shape.ts';

/** An interface of a VDU, in the list in which it stands. */
export interface Point {
  readonly list: 'interface' | 'external-interface' | 'internal-interface';
  readonly index: number;
  readonly value: Interface;
}

/** The interfaces of a VDU in the order of their positions, where they have some. */
export function pointsOf(vdu: Vdu): readonly Point[] {
  const points = (['interface', 'external-interface', 'internal-interface'] as const).flatMap((list) =>
    (vdu[list] ?? []).map((value, index): Point => ({ list, index, value })),
  );
  return points.toSorted((a, b) => (a.value.position ?? 0) - (b.value.position ?? 0));
}

export const externalOf = ({ value }: Point) =>
  value['external-connection-point-ref'] ?? value['vnfd-connection-point-ref'];
export const internalOf = ({ value }: Point) =>
  value['internal-connection-point-ref'] ?? value['vdu-internal-connection-point-ref'];

export function flavourOf(vdu: Vdu): NativeRequirements {
  const { 'vcpu-count': cpu, 'memory-mb': memoryMiB, 'storage-gb': storage } = vdu['vm-flavor'] ?? {};
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(storage === undefined || storage === 0 ? {} : { storageMiB: storage * 1024 }),
  };
}

/** Instances of a VDU: so many, and what scaling groups add to them. */
export function scaleOf(id: string, count = 1, groups: Vnfd['scaling-group-descriptor'] = []): Scale | undefined {
  let [min, max] = [count, count];
  for (const group of groups) {
    const each = group.vdu?.find((one) => one['vdu-id-ref'] === id)?.count ?? 0;
    min += each * (group['min-instance-count'] ?? 0);
    max += each * (group['max-instance-count'] ?? 0);
  }
  return min === 1 && max === 1 && count === 1
    ? undefined
    : { initial: Math.max(count, min), min, max: Math.max(min, max) };
}

/** What packets a classifier sends along its path. Undefined where it does not name one address. */
export function ruleOf(
  classifier: Classifier,
): { readonly address: string; readonly protocol: 'tcp' | 'udp' | 'any'; readonly ports: number[] } | undefined {
  const matches = classifier['match-attributes'] ?? [];
  const addresses = new Set(matches.map((match) => match['destination-ip-address']?.replace(/\/32$/, '')));
  const [address] = addresses;
  const number = matches.map((match) => match['ip-proto']).find((one) => one !== undefined);
  const protocol = ({ undefined: 'any', '6': 'tcp', tcp: 'tcp', '17': 'udp', udp: 'udp' } as const)[
    String(number).toLowerCase() as 'tcp'
  ];
  if (address === undefined || addresses.size > 1 || protocol === undefined) return undefined;
  const ports = matches.flatMap((match) =>
    match['destination-port'] === undefined ? [] : [Number(match['destination-port'])],
  );
  return { address, protocol, ports: [...new Set(ports)] };
}
