import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { LIMITS } from '../limits.ts';
import { pagesOf } from './pages.ts';

/** Workflows of Mistral (API v2): https://docs.openstack.org/mistral/latest/user/rest_api_v2.html. */

export type WorkflowState =
  | 'IDLE'
  | 'WAITING'
  | 'RUNNING'
  | 'DELAYED'
  | 'PAUSED'
  | 'SUCCESS'
  | 'CANCELLED'
  | 'ERROR'
  | 'SKIPPED';

const id = z.string().min(1);
/** Mistral says values of expressions as JSON in a text. */
const jsonText = z
  .string()
  .nullish()
  .transform((text): unknown => {
    try {
      return text === null || text === undefined || text === '' ? null : JSON.parse(text);
    } catch {
      return text;
    }
  });

const workflow = z.object({
  id,
  name: z.string(),
  namespace: z.string().default(''),
  /** `a, b=1`. */
  input: z.string().nullish(),
  definition: z.string().optional(),
  tags: z.array(z.string()).nullish(),
  scope: z.string().optional(),
});
export type WorkflowDefinition = z.infer<typeof workflow>;

const execution = z.object({
  id,
  workflow_name: z.string(),
  workflow_id: z.string().nullish(),
  description: z.string().nullish(),
  state: z.string(),
  state_info: z.string().nullish(),
  input: jsonText,
  output: jsonText,
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
});
export type WorkflowExecution = z.infer<typeof execution>;

const task = z.object({
  id,
  name: z.string(),
  type: z.string().optional(),
  state: z.string(),
  state_info: z.string().nullish(),
  workflow_name: z.string().optional(),
  workflow_execution_id: z.string().optional(),
  started_at: z.string().nullish(),
  finished_at: z.string().nullish(),
  updated_at: z.string().nullish(),
});
export type WorkflowTask = z.infer<typeof task>;

const actionExecution = z.object({
  id,
  name: z.string(),
  state: z.string(),
  state_info: z.string().nullish(),
  task_name: z.string().nullish(),
  accepted: z.boolean().optional(),
  input: jsonText,
  output: jsonText,
});
export type ActionExecution = z.infer<typeof actionExecution>;

const report = z.object({
  statistics: z.record(z.string(), z.number()),
  root_workflow_execution: z.looseObject({ id, state: z.string() }),
});
export type ExecutionReport = z.infer<typeof report>;

const environment = z.object({ name: z.string(), description: z.string().nullish(), variables: jsonText });
export type WorkflowEnvironment = z.infer<typeof environment>;

const cronTrigger = z.object({
  id,
  name: z.string(),
  workflow_name: z.string(),
  pattern: z.string().nullish(),
  remaining_executions: z.number().nullish(),
  next_execution_time: z.string().nullish(),
});
export type CronTrigger = z.infer<typeof cronTrigger>;

const service = 'workflow';
/** Definitions go as YAML. Mistral says that it answers with text, and answers with JSON. */
const asText = { contentType: 'text/plain', headers: { accept: '*/*' } } as const;
const namedWorkflows = z.object({ workflows: z.array(workflow) });

/** `<workflow name>: …` as YAML in DSL v2; a text may define several. With a name that is there already: 409. */
export async function createWorkflows(
  cloud: Cloud,
  definition: string,
  signal: AbortSignal,
): Promise<readonly WorkflowDefinition[]> {
  return writeWorkflows(cloud, 'POST', definition, signal);
}

/** Those of these names, which have to be there. */
export async function updateWorkflows(
  cloud: Cloud,
  definition: string,
  signal: AbortSignal,
): Promise<readonly WorkflowDefinition[]> {
  return writeWorkflows(cloud, 'PUT', definition, signal);
}

async function writeWorkflows(cloud: Cloud, method: 'POST' | 'PUT', body: string, signal: AbortSignal) {
  const call = { service, method, path: '/workflows', body, ...asText, signal } as const;
  const doing = `${method === 'POST' ? 'create' : 'update'} workflows`;
  return (await cloud.json({ ...call, doing }, namedWorkflows)).workflows;
}

/** By name or id. */
export async function getWorkflow(cloud: Cloud, name: string, signal: AbortSignal): Promise<WorkflowDefinition> {
  const call = { service, method: 'GET', path: path`/workflows/${name}`, doing: `get workflow ${name}` } as const;
  return cloud.json({ ...call, signal }, workflow);
}

export function listWorkflows(cloud: Cloud, signal: AbortSignal): Promise<readonly WorkflowDefinition[]> {
  const fields = 'id,name,namespace,input,tags,scope';
  return listOf(cloud, '/workflows', { fields }, namedWorkflows, (page) => page.workflows, signal);
}

export async function deleteWorkflow(cloud: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service, method: 'DELETE', path: path`/workflows/${name}`, doing: `delete workflow ${name}` } as const;
  await cloud.send({ ...call, signal });
}

/** A workbook has workflows and actions, whose names begin with its own. */
export async function createWorkbook(cloud: Cloud, definition: string, signal: AbortSignal): Promise<string> {
  return writeWorkbook(cloud, 'POST', definition, signal);
}

export async function updateWorkbook(cloud: Cloud, definition: string, signal: AbortSignal): Promise<string> {
  return writeWorkbook(cloud, 'PUT', definition, signal);
}

async function writeWorkbook(cloud: Cloud, method: 'POST' | 'PUT', body: string, signal: AbortSignal) {
  const call = { service, method, path: '/workbooks', body, ...asText, signal } as const;
  const doing = `${method === 'POST' ? 'create' : 'update'} a workbook`;
  return (await cloud.json({ ...call, doing }, z.object({ name: z.string() }))).name;
}

/** Its workflows stay. */
export async function deleteWorkbook(cloud: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service, method: 'DELETE', path: path`/workbooks/${name}`, doing: `delete workbook ${name}` } as const;
  await cloud.send({ ...call, signal });
}

export interface NewExecution {
  /** Name or id of a workflow. */
  readonly workflow: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** By which it can be found again. */
  readonly description?: string;
  /** `env`: values or the name of an environment; `task_name` for workflows of type `reverse`. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Id of the caller's choice: asked twice, Mistral answers with the one that is there. */
  readonly id?: string;
}

export async function startExecution(
  cloud: Cloud,
  { workflow: name, input, description, params, id: chosen }: NewExecution,
  signal: AbortSignal,
): Promise<WorkflowExecution> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name);
  const body = {
    ...(isId ? { workflow_id: name } : { workflow_name: name }),
    ...(input === undefined ? {} : { input }),
    ...(params === undefined ? {} : { params }),
    ...(description === undefined ? {} : { description }),
    ...(chosen === undefined ? {} : { id: chosen }),
  };
  const call = { service, method: 'POST', path: '/executions', body, doing: `run workflow ${name}`, signal } as const;
  return cloud.json({ ...call, repeatable: chosen !== undefined }, execution);
}

export async function getExecution(cloud: Cloud, which: string, signal: AbortSignal): Promise<WorkflowExecution> {
  const call = { service, method: 'GET', path: path`/executions/${which}` } as const;
  return cloud.json({ ...call, doing: `get execution ${which}`, signal }, execution);
}

export function listExecutions(
  cloud: Cloud,
  filter: { readonly description?: string; readonly workflow_name?: string; readonly state?: WorkflowState },
  signal: AbortSignal,
): Promise<readonly WorkflowExecution[]> {
  const page = z.object({ executions: z.array(execution) });
  return listOf(cloud, '/executions', filter, page, (answer) => answer.executions, signal);
}

/** PAUSED, RUNNING (goes on), CANCELLED. */
export async function setExecutionState(
  cloud: Cloud,
  which: string,
  state: 'PAUSED' | 'RUNNING' | 'CANCELLED' | 'ERROR' | 'SUCCESS',
  signal: AbortSignal,
): Promise<void> {
  const call = { service, method: 'PUT', path: path`/executions/${which}`, body: { state } } as const;
  await cloud.send({ ...call, doing: `set execution ${which} to ${state}`, signal });
}

/** Of one that runs only by force. */
export async function deleteExecution(cloud: Cloud, which: string, signal: AbortSignal): Promise<void> {
  const call = { service, method: 'DELETE', path: path`/executions/${which}`, query: { force: true } } as const;
  await cloud.send({ ...call, doing: `delete execution ${which}`, signal });
}

/** Tasks of the execution itself; those of workflows that it runs are told by `executionReport`. */
export async function listTasks(cloud: Cloud, which: string, signal: AbortSignal): Promise<readonly WorkflowTask[]> {
  const call = { service, method: 'GET', path: path`/executions/${which}/tasks` } as const;
  const answer = await cloud.json(
    { ...call, doing: `list tasks of execution ${which}`, signal },
    z.object({ tasks: z.array(task) }),
  );
  return answer.tasks;
}

export async function listActionExecutions(
  cloud: Cloud,
  taskId: string,
  signal: AbortSignal,
): Promise<readonly ActionExecution[]> {
  const call = { service, method: 'GET', path: path`/tasks/${taskId}/action_executions` } as const;
  const answer = await cloud.json(
    { ...call, doing: `list actions of task ${taskId}`, signal },
    z.object({ action_executions: z.array(actionExecution) }),
  );
  return answer.action_executions;
}

/** Runs a task that failed again. `reset`: of one with items, all of them. */
export async function rerunTask(cloud: Cloud, taskId: string, reset: boolean, signal: AbortSignal): Promise<void> {
  const call = { service, method: 'PUT', path: path`/tasks/${taskId}`, body: { state: 'RUNNING', reset } } as const;
  await cloud.send({ ...call, doing: `run task ${taskId} again`, repeatable: false, signal });
}

/** An action without a workflow. `run_sync`: answered when it is done. */
export async function runAction(
  cloud: Cloud,
  name: string,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ActionExecution> {
  const body = { name, input: JSON.stringify(input), params: JSON.stringify({ run_sync: true, save_result: true }) };
  const call = { service, method: 'POST', path: '/action_executions', body, doing: `run action ${name}` } as const;
  return cloud.json({ ...call, signal }, actionExecution);
}

/** The tree of what was run, with what failed. */
export async function executionReport(
  cloud: Cloud,
  which: string,
  signal: AbortSignal,
  onlyErrors = false,
): Promise<ExecutionReport> {
  const call = { service, method: 'GET', path: path`/executions/${which}/report` } as const;
  // Any value is true, for Mistral.
  const query = { errors_only: onlyErrors || undefined };
  return cloud.json({ ...call, query, doing: `get the report of execution ${which}`, signal }, report);
}

export async function listActionNames(cloud: Cloud, signal: AbortSignal): Promise<readonly string[]> {
  const page = z.object({ actions: z.array(z.object({ id, name: z.string() })) });
  const query = { fields: 'id,name' };
  const actions = await listOf(cloud, '/actions', query, page, (answer) => answer.actions, signal);
  return actions.map(({ name }) => name);
}

export async function createEnvironment(
  cloud: Cloud,
  name: string,
  variables: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const body = { name, variables: JSON.stringify(variables) };
  const call = { service, method: 'POST', path: '/environments', body, doing: `create environment ${name}` } as const;
  await cloud.send({ ...call, signal });
}

export async function getEnvironment(cloud: Cloud, name: string, signal: AbortSignal): Promise<WorkflowEnvironment> {
  const call = { service, method: 'GET', path: path`/environments/${name}`, doing: `get environment ${name}` } as const;
  return cloud.json({ ...call, signal }, environment);
}

export async function deleteEnvironment(cloud: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service, method: 'DELETE', path: path`/environments/${name}` } as const;
  await cloud.send({ ...call, doing: `delete environment ${name}`, signal });
}

export interface NewCronTrigger {
  readonly name: string;
  readonly workflow: string;
  /** Of crontab: five fields. */
  readonly pattern: string;
  readonly input?: Readonly<Record<string, unknown>>;
  /** How often at most. */
  readonly count?: number;
}

export async function createCronTrigger(
  cloud: Cloud,
  { name, workflow: workflow_name, pattern, input, count }: NewCronTrigger,
  signal: AbortSignal,
): Promise<CronTrigger> {
  const body = {
    name,
    workflow_name,
    pattern,
    ...(input === undefined ? {} : { workflow_input: JSON.stringify(input) }),
    ...(count === undefined ? {} : { remaining_executions: count }),
  };
  const call = { service, method: 'POST', path: '/cron_triggers', body, doing: `create cron trigger ${name}` } as const;
  return cloud.json({ ...call, signal }, cronTrigger);
}

export function listCronTriggers(cloud: Cloud, signal: AbortSignal): Promise<readonly CronTrigger[]> {
  const page = z.object({ cron_triggers: z.array(cronTrigger) });
  return listOf(cloud, '/cron_triggers', {}, page, (answer) => answer.cron_triggers, signal);
}

export async function deleteCronTrigger(cloud: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service, method: 'DELETE', path: path`/cron_triggers/${name}` } as const;
  await cloud.send({ ...call, doing: `delete cron trigger ${name}`, signal });
}

function listOf<Page, T extends { readonly id: string }>(
  cloud: Cloud,
  where: string,
  filter: Readonly<Record<string, string | undefined>>,
  schema: z.ZodType<Page>,
  items: (page: Page) => readonly T[],
  signal: AbortSignal,
): Promise<readonly T[]> {
  const doing = `list ${where.slice(1).replaceAll('_', ' ')}`;
  return pagesOf(
    doing,
    async (marker) => {
      const query = { ...filter, limit: LIMITS.pageSize, marker };
      return items(await cloud.json({ service, method: 'GET', path: where, query, doing, signal }, schema));
    },
    (one) => one.id,
  );
}
