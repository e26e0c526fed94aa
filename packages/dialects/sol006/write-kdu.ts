import type { Block } from '@superfluidity/model';
import type { Fields } from './style.ts';
import { groupIn, type Writing } from './writing.ts';

export interface WrittenKdu {
  readonly kdu: Fields;
  readonly external: readonly Fields[];
  readonly nets: readonly Fields[];
}

/** Of OSM. They are read after the machines of their function. */
export const isKdu = ({ execution }: Block): boolean => execution?.environment === 'pod';

/** A pod as a Kubernetes deployment unit of OSM: what it carries names its Helm chart or Juju bundle. */
export function kduOf(w: Writing, fn: Block, unit: Block, at: string): WrittenKdu {
  const carried = groupIn(w.carried(unit), 'kdu');
  const { image } = unit.execution!;
  if (image !== undefined)
    w.lose(`${at}.image`, `image ${image} of pod '${unit.name}': Kubernetes units name a Helm chart`);
  for (const field of ['cpu', 'memoryMiB', 'storageMiB'] as const)
    if (unit.requirements[field] !== undefined) w.lose(`${at}.requirements.${field}`, `${field} of pod '${unit.name}'`);
  if ((unit.requirements.affinity ?? []).length > 0)
    w.lose(`${at}.requirements.affinity`, `affinity of pod '${unit.name}'`);
  if ((unit.requirements.after ?? []).length > 0)
    w.lose(`${at}.requirements.after`, `the order in which pod '${unit.name}' starts`);
  if (unit.scale !== undefined) w.lose(`${at}.scale`, `number of instances of pod '${unit.name}'`);
  const name = w.id(unit);
  const points = unit.ports.map((port) => ({ port, id: `${name}-${w.id(port)}` }));
  const services = points.map(({ port, id }) => ({ name: w.id(port), 'external-connection-point-ref': id }));
  return {
    kdu: {
      name,
      ...(unit.description === undefined ? {} : { description: unit.description }),
      ...carried,
      ...(w.keepsConnection(fn) || services.length === 0 ? {} : { service: services }),
    },
    external: points.map(({ id }) => ({ id, 'k8s-cluster-net': id })),
    nets: points.map(({ id }) => ({ id })),
  };
}
