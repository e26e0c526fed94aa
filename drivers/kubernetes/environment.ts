import type { UnitSpec } from '@superfluidity/site';
import { LABELS } from './marks.ts';
import type { KubeObject } from './objects.ts';
import type { World } from './world.ts';

/** The variables of a unit: values in a Secret, and where the container finds each. */
export interface UnitEnvironment {
  readonly object: KubeObject & { readonly data: Readonly<Record<string, string>> };
  readonly variables: readonly unknown[];
}

/** Undefined when the unit has none. Names of variables may be what no key of a Secret may be: keys are numbered. */
export function environmentOf(world: World, spec: UnitSpec): UnitEnvironment | undefined {
  const entries = Object.entries(spec.execution.env ?? {});
  if (entries.length === 0) return undefined;
  const { cluster, marks } = world;
  const name = marks.unitName(spec.id);
  const key = (index: number) => `variable-${index}`;
  return {
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace: cluster.namespace,
        labels: marks.labels({ [LABELS.service]: spec.service, [LABELS.unit]: spec.id }),
      },
      data: Object.fromEntries(
        entries.map(([, value], index) => [key(index), Buffer.from(value, 'utf8').toString('base64')]),
      ),
    },
    variables: entries.map(([variable], index) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name, key: key(index) } },
    })),
  };
}
