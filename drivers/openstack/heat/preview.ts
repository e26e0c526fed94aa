import {
  listStackResources,
  previewStackUpdate,
  stackAttributes,
  type StackName,
  type StackSource,
  type StackUpdatePreview,
} from '@superfluidity/openstack';
import type { StackChange } from '@superfluidity/site';
import type { World } from '../world.ts';

/**
 * What an update would do. Heat compares without knowing what references of the new template stand for: all that names
 * something else of the stack would be told as changed, and much of that as replaced. So what stays is put in the place of
 * its references, as an update finds it. What is replaced does not stay: the next look says what of the rest follows it.
 */
export async function previewUpdate(
  { cloud }: World,
  which: StackName,
  source: StackSource & { readonly template: Readonly<Record<string, unknown>> },
  reuse: boolean,
  signal: AbortSignal,
): Promise<StackUpdatePreview> {
  const resources = await listStackResources(cloud, which, signal);
  const own = resources.filter((one) => (one.parent_resource ?? '') === '' && (one.physical_resource_id ?? '') !== '');
  const ids = new Map(own.map((one) => [one.resource_name, one.physical_resource_id!]));
  const asked = [...new Set(namesIn(source.template, 'get_attr'))].filter((name) => ids.has(name));
  const attributes = new Map(
    await Promise.all(asked.map(async (name) => [name, await stackAttributes(cloud, which, name, signal)] as const)),
  );
  for (;;) {
    const template = resolved(source.template, ids, attributes) as Readonly<Record<string, unknown>>;
    const changes = await previewStackUpdate(cloud, which, { ...source, template }, reuse, signal);
    const leaving = changes.replaced.filter((one) => ids.delete(one.resource_name));
    if (leaving.length === 0) return changes;
  }
}

/** In our words. */
export function told(changes: StackUpdatePreview): readonly StackChange[] {
  const all = [
    ['add', changes.added],
    ['update', changes.updated],
    ['replace', changes.replaced],
    ['delete', changes.deleted],
    ['keep', changes.unchanged],
  ] as const;
  return all.flatMap(([change, list]) =>
    list.map((one) => ({ change, name: one.resource_name, type: one.resource_type })),
  );
}

type Group = Readonly<Record<string, unknown>>;
const isGroup = (value: unknown): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The argument, where a value is nothing but a call of the function. */
function argument(value: Group, name: 'get_resource' | 'get_attr'): unknown {
  const [[key, told] = [], ...more] = Object.entries(value);
  return key === name && more.length === 0 ? told : undefined;
}

/** Resources that calls of a function name. */
function namesIn(value: unknown, name: 'get_attr'): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => namesIn(one, name));
  if (!isGroup(value)) return [];
  const told = argument(value, name);
  if (Array.isArray(told) && typeof told[0] === 'string') return [told[0]];
  return Object.values(value).flatMap((one) => namesIn(one, name));
}

function resolved(value: unknown, ids: ReadonlyMap<string, string>, attributes: ReadonlyMap<string, Group>): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, ids, attributes));
  if (!isGroup(value)) return value;
  const resource = argument(value, 'get_resource');
  if (typeof resource === 'string') return ids.get(resource) ?? value;
  const path = argument(value, 'get_attr');
  if (Array.isArray(path) && typeof path[0] === 'string')
    return ids.has(path[0]) ? (attributeAt(attributes.get(path[0]), path.slice(1)) ?? value) : value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one, ids, attributes)]));
}

function attributeAt(attributes: unknown, path: readonly unknown[]): unknown {
  return path.reduce((value, step) => {
    if (Array.isArray(value)) return value[Number(step)] as unknown;
    return isGroup(value) ? value[String(step)] : undefined;
  }, attributes);
}
