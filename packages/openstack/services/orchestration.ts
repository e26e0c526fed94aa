import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { LIMITS } from '../limits.ts';
import { pagesOf } from './pages.ts';

/** Stacks of Heat (Orchestration API v1): https://docs.openstack.org/api-ref/orchestration/v1/. */

/** A stack by both its names: without the id, Heat answers with a redirection. */
export interface StackName {
  readonly name: string;
  readonly id: string;
}

/** What a stack is made from. */
export interface StackSource {
  /** HOT as YAML or JSON, as text or as its value. */
  readonly template: string | Readonly<Record<string, unknown>>;
  /** Files that the template names: nested templates and what `get_file` takes. */
  readonly files?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** An environment: defaults of parameters, and types of resources. */
  readonly environment?: string | Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  /** Whole minutes. */
  readonly timeout_mins?: number;
  /** False: Heat takes back what it did when something fails. Its own default is true. */
  readonly disable_rollback?: boolean;
}

const id = z.string().min(1);
const stack = z.object({
  id,
  stack_name: z.string(),
  /** X_IN_PROGRESS, X_COMPLETE or X_FAILED with X of CREATE, UPDATE, DELETE, ROLLBACK, CHECK, SUSPEND, RESUME, ADOPT. */
  stack_status: z.string(),
  stack_status_reason: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  creation_time: z.string().nullish(),
  updated_time: z.string().nullish(),
  parent: z.string().nullish(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  outputs: z.array(z.looseObject({ output_key: z.string(), output_value: z.unknown() })).optional(),
  disable_rollback: z.boolean().optional(),
  timeout_mins: z.number().nullish(),
});
export type Stack = z.infer<typeof stack>;

const resource = z.object({
  resource_name: z.string(),
  resource_type: z.string(),
  logical_resource_id: z.string(),
  /** Empty until the service has made it. */
  physical_resource_id: z.string().nullish(),
  resource_status: z.string(),
  resource_status_reason: z.string().nullish(),
  parent_resource: z.string().nullish(),
  required_by: z.array(z.string()).optional(),
});
export type StackResource = z.infer<typeof resource>;

const event = z.object({
  id,
  event_time: z.string(),
  resource_name: z.string(),
  physical_resource_id: z.string().nullish(),
  resource_status: z.string(),
  resource_status_reason: z.string().nullish(),
});
export type StackEvent = z.infer<typeof event>;

const plannedResource = z.looseObject({
  resource_name: z.string(),
  resource_type: z.string(),
  properties: z.record(z.string(), z.unknown()).optional(),
});
export type PlannedResource = z.infer<typeof plannedResource>;

const changes = z.array(z.looseObject({ resource_name: z.string(), resource_type: z.string() })).default([]);
const updatePreview = z.object({
  added: changes,
  deleted: changes,
  replaced: changes,
  unchanged: changes,
  updated: changes,
});
export type StackUpdatePreview = z.infer<typeof updatePreview>;

const service = 'orchestration';
const at = ({ name, id: stackId }: StackName): string => path`/stacks/${name}/${stackId}`;
/** What Heat is sent, beside the name. */
export const stackBody = ({ tags, ...source }: StackSource): Readonly<Record<string, unknown>> => ({
  ...source,
  // A comma separates them: there is none in a tag.
  ...(tags === undefined ? {} : { tags: tags.join(',') }),
});

/** Answers when Heat has begun: `getStack` tells how it goes on. A stack of that name is refused (409). */
export async function createStack(
  cloud: Cloud,
  name: string,
  source: StackSource,
  signal: AbortSignal,
): Promise<StackName> {
  const body = { stack_name: name, ...stackBody(source) };
  const call = { service, method: 'POST', path: '/stacks', body, doing: `create stack ${name}`, signal } as const;
  const made = await cloud.json(call, z.object({ stack: z.object({ id }) }));
  return { name, id: made.stack.id };
}

/** What would be made. Heat asks the services about references, and makes nothing. */
export async function previewStack(
  cloud: Cloud,
  name: string,
  source: StackSource,
  signal: AbortSignal,
): Promise<readonly PlannedResource[]> {
  const body = { stack_name: name, ...stackBody(source) };
  const call = { service, method: 'POST', path: '/stacks/preview', body, repeatable: true } as const;
  const answer = await cloud.json(
    { ...call, doing: `preview stack ${name}`, signal },
    // Resources of nested stacks are lists in the list.
    z.object({ stack: z.object({ resources: z.array(z.unknown()) }) }),
  );
  return (answer.stack.resources.flat(LIMITS.nestedStacks) as unknown[]).flatMap(
    (one) => plannedResource.safeParse(one).data ?? [],
  );
}

/**
 * In place. `reuse`: what is not said stays as it is (PATCH), parameters and template among it; else it is replaced as a
 * whole (PUT). Answers when Heat has begun.
 */
export async function updateStack(
  cloud: Cloud,
  which: StackName,
  source: Partial<StackSource>,
  reuse: boolean,
  signal: AbortSignal,
): Promise<void> {
  await cloud.send({
    service,
    method: reuse ? 'PATCH' : 'PUT',
    path: at(which),
    body: stackBody(source as StackSource),
    doing: `update stack ${which.name}`,
    // Twice, it would be refused as being under way.
    repeatable: false,
    signal,
  });
}

export async function previewStackUpdate(
  cloud: Cloud,
  which: StackName,
  source: Partial<StackSource>,
  reuse: boolean,
  signal: AbortSignal,
): Promise<StackUpdatePreview> {
  const answer = await cloud.json(
    {
      service,
      method: reuse ? 'PATCH' : 'PUT',
      path: `${at(which)}/preview`,
      body: stackBody(source as StackSource),
      doing: `preview the update of stack ${which.name}`,
      repeatable: true,
      signal,
    },
    z.object({ resource_changes: updatePreview }),
  );
  return answer.resource_changes;
}

/** Answers when Heat has begun. */
export async function deleteStack(cloud: Cloud, which: StackName, signal: AbortSignal): Promise<void> {
  await cloud.send({ service, method: 'DELETE', path: at(which), doing: `delete stack ${which.name}`, signal });
}

/** A stack that is deleted is there for some time, as DELETE_COMPLETE. */
export async function getStack(cloud: Cloud, which: StackName, signal: AbortSignal): Promise<Stack> {
  const call = { service, method: 'GET', path: at(which), doing: `get stack ${which.name}`, signal } as const;
  return (await cloud.json(call, z.object({ stack }))).stack;
}

/** Those that are not deleted. */
export async function listStacks(
  cloud: Cloud,
  filter: { readonly name?: string; readonly tags?: readonly string[] },
  signal: AbortSignal,
): Promise<readonly Stack[]> {
  const query = {
    name: filter.name,
    tags: filter.tags?.join(','),
    sort_keys: 'creation_time',
    sort_dir: 'asc',
  };
  const all = await pagesOf(
    'list stacks',
    async (marker) => {
      const call = { service, method: 'GET', path: '/stacks', doing: 'list stacks', signal } as const;
      const page = { ...query, limit: LIMITS.pageSize, marker };
      return (await cloud.json({ ...call, query: page }, z.object({ stacks: z.array(stack) }))).stacks;
    },
    (one) => one.id,
  );
  // One that was deleted at this moment is told of a last time.
  return all.filter((one) => one.stack_status !== 'DELETE_COMPLETE');
}

/** The one of this name, if there is one. */
export async function findStack(cloud: Cloud, name: string, signal: AbortSignal): Promise<Stack | undefined> {
  return (await listStacks(cloud, { name }, signal)).find((one) => one.stack_name === name);
}

/** With those of nested stacks. */
export async function listStackResources(
  cloud: Cloud,
  which: StackName,
  signal: AbortSignal,
): Promise<readonly StackResource[]> {
  const call = { service, method: 'GET', path: `${at(which)}/resources`, signal } as const;
  const answer = await cloud.json(
    { ...call, query: { nested_depth: LIMITS.nestedStacks }, doing: `list resources of stack ${which.name}` },
    z.object({ resources: z.array(resource) }),
  );
  return answer.resources;
}

/** What the service says of the resource now. Of one that it does not have, nothing. */
export async function stackAttributes(
  cloud: Cloud,
  which: StackName,
  name: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const call = { service, method: 'GET', path: `${at(which)}${path`/resources/${name}`}`, signal } as const;
  const attributes = z.record(z.string(), z.unknown()).nullish();
  const answer = await cloud.json(
    { ...call, doing: `get resource ${name} of stack ${which.name}` },
    z.object({ resource: z.object({ attributes }) }),
  );
  return answer.resource.attributes ?? {};
}

/** Oldest first, from the one after `since` on, with those of nested stacks. */
export function listStackEvents(
  cloud: Cloud,
  which: StackName,
  since: string | undefined,
  signal: AbortSignal,
): Promise<readonly StackEvent[]> {
  const doing = `list events of stack ${which.name}`;
  return pagesOf(
    doing,
    async (marker = since) => {
      const query = {
        sort_dir: 'asc',
        limit: LIMITS.pageSize,
        nested_depth: LIMITS.nestedStacks,
        marker,
      };
      const call = { service, method: 'GET', path: `${at(which)}/events`, query, doing, signal } as const;
      return (await cloud.json(call, z.object({ events: z.array(event) }))).events;
    },
    (one) => one.id,
  );
}

/** Values of the outputs, by name. One that cannot be told yet is null. */
export async function stackOutputs(
  cloud: Cloud,
  which: StackName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const { outputs = [] } = await getStack(cloud, which, signal);
  return Object.fromEntries(outputs.map(({ output_key, output_value }) => [output_key, output_value ?? null]));
}

/** As Heat keeps it: a value, not the text that it was given. */
export async function stackTemplate(
  cloud: Cloud,
  which: StackName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const call = { service, method: 'GET', path: `${at(which)}/template`, signal } as const;
  return cloud.json({ ...call, doing: `get the template of stack ${which.name}` }, z.record(z.string(), z.unknown()));
}

/** Files that the template of a stack names: nested templates among them. */
export async function stackFiles(
  cloud: Cloud,
  which: StackName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const call = { service, method: 'GET', path: `${at(which)}/files`, signal } as const;
  return cloud.json({ ...call, doing: `get the files of stack ${which.name}` }, z.record(z.string(), z.string()));
}

/** `check`: looks at each resource in its service. `cancel_update`: takes an update back; the other leaves it where it is. */
export type StackAction = 'check' | 'cancel_update' | 'cancel_without_rollback' | 'suspend' | 'resume';

export async function actOnStack(
  cloud: Cloud,
  which: StackName,
  action: StackAction,
  signal: AbortSignal,
): Promise<void> {
  await cloud.send({
    service,
    method: 'POST',
    path: `${at(which)}/actions`,
    body: { [action]: null },
    doing: `${action.replaceAll('_', ' ')} of stack ${which.name}`,
    signal,
  });
}

/** Lets go of the stack and leaves what it made. Many clouds have it switched off (`enable_stack_abandon`). */
export async function abandonStack(
  cloud: Cloud,
  which: StackName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const call = { service, method: 'DELETE', path: `${at(which)}/abandon`, repeatable: false, signal } as const;
  return cloud.json({ ...call, doing: `abandon stack ${which.name}` }, z.record(z.string(), z.unknown()));
}

/** Makes a stack of what another one abandoned (`enable_stack_adopt`). */
export async function adoptStack(
  cloud: Cloud,
  name: string,
  abandoned: Readonly<Record<string, unknown>>,
  source: StackSource,
  signal: AbortSignal,
): Promise<StackName> {
  const body = { stack_name: name, ...stackBody(source), adopt_stack_data: JSON.stringify(abandoned) };
  const call = { service, method: 'POST', path: '/stacks', body, doing: `adopt stack ${name}`, signal } as const;
  const made = await cloud.json(call, z.object({ stack: z.object({ id }) }));
  return { name, id: made.stack.id };
}

/** Refused with what is wrong (400). The parameters that the template takes, by name. */
export async function validateTemplate(
  cloud: Cloud,
  source: Pick<StackSource, 'template' | 'files' | 'environment'>,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const call = { service, method: 'POST', path: '/validate', body: source, repeatable: true, signal } as const;
  const answer = await cloud.json(
    { ...call, doing: 'validate a template' },
    z.looseObject({ Parameters: z.record(z.string(), z.unknown()).default({}) }),
  );
  return answer.Parameters;
}
