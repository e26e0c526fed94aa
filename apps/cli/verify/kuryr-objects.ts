import {
  KURYR_CONFIG_KEY,
  KURYR_LABELS,
  KURYR_NAME,
  kuryrPortOf,
  type kuryrServedSchema,
  podInterfaceSchema,
} from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';

/** Of objects of Kuryr, what says whom it serves, and which address and which port of a cloud a pod has. */

const labels = z.record(z.string(), z.string());
export const configMap = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().default('default'), labels: labels.default({}) }),
  data: z.record(z.string(), z.string()).default({}),
});

/** Its configuration as text, and where that stands; undefined where there is none. */
export function configIn(
  maps: readonly z.infer<typeof configMap>[],
): { readonly path: string; readonly text: string } | undefined {
  for (const { metadata, data } of maps) {
    const text = data[KURYR_CONFIG_KEY];
    if (metadata.name === KURYR_NAME && metadata.labels[KURYR_LABELS.part] === KURYR_NAME && text !== undefined)
      return { path: `ConfigMap ${metadata.namespace}/${KURYR_NAME}`, text };
  }
  return undefined;
}

/** All, where nobody says otherwise. */
export function servedBy(
  { namespaces: wanted }: z.infer<typeof kuryrServedSchema>,
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
): ReadonlySet<string> | undefined {
  const pairs = Object.entries(wanted);
  if (pairs.length === 0) return undefined;
  return new Set(
    [...namespaces].flatMap(([name, own]) => (pairs.every(([key, value]) => own[key] === value) ? [name] : [])),
  );
}

/** What policies ask about. */
export const kuryrPort = kuryrPortOf(
  podInterfaceSchema.pick({ id: true, addresses: true, isDefault: true, plugging: true }),
);
type KuryrPort = z.infer<typeof kuryrPort>;

const defaultsOf = ({ status }: KuryrPort) =>
  Object.values(status?.interfaces ?? {}).filter(({ isDefault }) => isDefault);

/** Of the interface that Kubernetes knows, or is about to. */
export const addressesIn = (port: KuryrPort): readonly string[] =>
  defaultsOf(port).flatMap(({ addresses }) => addresses.map((one) => one.split('/', 1)[0]!));

export interface CloudPort {
  readonly id: string;
  readonly node: string;
  /** By its groups. On a macvlan it is not: then the port of the machine is. */
  readonly isFiltered: boolean;
}

/** Ports of a cloud that pods have; in the built-in fabric there are none. */
export const cloudPortsIn = (ports: readonly KuryrPort[]): readonly CloudPort[] =>
  ports.flatMap((port) =>
    defaultsOf(port).flatMap(({ id, plugging: { kind } }) =>
      kind === 'bridge' ? [] : [{ id, node: port.spec.node, isFiltered: kind !== 'macvlan' }],
    ),
  );
