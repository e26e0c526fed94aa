import { z } from 'zod';

/** Of objects of Kuryr, what says whom it serves, and which address and which port of a cloud a pod has. */

/** The ConfigMap of its controller, as `kuryr install` writes it. */
export const KURYR_CONFIG = 'superfluidity-kuryr';
const CONFIG_KEY = 'kuryr.json';
const PART = 'app.kubernetes.io/part-of';

const labels = z.record(z.string(), z.string());
export const configMap = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().default('default'), labels: labels.default({}) }),
  data: z.record(z.string(), z.string()).default({}),
});
/** Labels of the namespaces that are served. */
export const kuryrConfig = z.object({ namespaces: labels.default({}) });

/** Its configuration as text, and where that stands; undefined where there is none. */
export function configIn(
  maps: readonly z.infer<typeof configMap>[],
): { readonly path: string; readonly text: string } | undefined {
  for (const { metadata, data } of maps) {
    const text = data[CONFIG_KEY];
    if (metadata.name === KURYR_CONFIG && metadata.labels[PART] === KURYR_CONFIG && text !== undefined)
      return { path: `ConfigMap ${metadata.namespace}/${KURYR_CONFIG}`, text };
  }
  return undefined;
}

/** All, where nobody says otherwise. */
export function servedBy(
  { namespaces: wanted }: z.infer<typeof kuryrConfig>,
  namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>,
): ReadonlySet<string> | undefined {
  const pairs = Object.entries(wanted);
  if (pairs.length === 0) return undefined;
  return new Set(
    [...namespaces].flatMap(([name, own]) => (pairs.every(([key, value]) => own[key] === value) ? [name] : [])),
  );
}

/** Named like its pod. */
export const kuryrPort = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({ podUid: z.string(), node: z.string() }),
  status: z
    .object({
      interfaces: z.record(
        z.string(),
        z.object({
          id: z.string(),
          addresses: z.array(z.string()),
          isDefault: z.boolean(),
          plugging: z.object({ kind: z.string() }),
        }),
      ),
    })
    .optional(),
});
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
