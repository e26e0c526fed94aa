import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { DescriptionTable, UnitSpec } from '@superfluidity/site';
import type { KubernetesConfig } from './config.ts';
import type { KubeObject } from './objects.ts';
import type { World } from './world.ts';

const RUNTIME_CLASSES = '/apis/node.k8s.io/v1/runtimeclasses';

interface RuntimeClass extends KubeObject {
  readonly handler?: string;
  readonly overhead?: { readonly podFixed?: Readonly<Record<string, string>> };
}

/** What runs the containers of a unit, where the site says it: a sandbox, a virtual machine, a unikernel. */
export function runtimeClassOf(config: KubernetesConfig, spec: UnitSpec): { readonly runtimeClassName?: string } {
  const name = nameOf(config, spec);
  return name === undefined ? {} : { runtimeClassName: name };
}

/** Refuses one that the cluster does not have. */
export async function checkRuntimeClass(
  { cluster, config }: World,
  spec: UnitSpec,
  doing: string,
  signal: AbortSignal,
): Promise<void> {
  const name = nameOf(config, spec);
  if (name === undefined) return;
  try {
    const { items } = await cluster.list<RuntimeClass>(RUNTIME_CLASSES, {}, signal, { isOptional: true });
    if (items.some(({ metadata }) => metadata.name === name)) return;
    const known = items.map(({ metadata }) => metadata.name);
    throw new SuperfluidityError('SF-KUBE-RUNTIME', {
      doing,
      reason: `the cluster has no RuntimeClass ${name}, but ${known.length === 0 ? 'none' : known.join(', ')}`,
      data: { runtimeClass: name, known },
    });
  } catch (error) {
    // Who may not see them is told by the API server when the pod is made.
    if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
  }
}

/** For people. */
export async function runtimeClassTable({ cluster }: World, signal: AbortSignal): Promise<DescriptionTable> {
  const table = { title: 'Runtime classes', columns: ['name', 'handler', 'overhead'] };
  try {
    const { items } = await cluster.list<RuntimeClass>(RUNTIME_CLASSES, {}, signal, { isOptional: true });
    const rows = items.map(({ metadata, handler, overhead }) => [
      metadata.name,
      handler ?? '',
      Object.entries(overhead?.podFixed ?? {})
        .map(([what, amount]) => `${what} ${amount}`)
        .join(', '),
    ]);
    return rows.length === 0 ? { ...table, rows, note: 'there are none' } : { ...table, rows };
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) throw error;
    return { ...table, rows: [], note: 'the user of the site may not see them' };
  }
}

function nameOf({ runtimeClasses }: KubernetesConfig, { path, execution }: UnitSpec): string | undefined {
  const byEnvironment: Readonly<Partial<Record<string, string>>> = runtimeClasses.environments;
  return runtimeClasses.units[path] ?? byEnvironment[execution.environment];
}
