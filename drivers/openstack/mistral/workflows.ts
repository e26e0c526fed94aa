import { createHash } from 'node:crypto';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import {
  createWorkflows,
  executionReport,
  getExecution,
  listActionExecutions,
  listTasks,
  rerunTask,
  setExecutionState,
  startExecution,
  updateWorkflows,
  type WorkflowExecution,
  type WorkflowTask,
} from '@superfluidity/openstack';
import type { SiteWorkflows, Tell, WorkflowOutcome, WorkflowRequest } from '@superfluidity/site';
import { LIMITS } from '../config.ts';
import { tag } from '../marks.ts';
import type { World } from '../world.ts';

const OVER = ['SUCCESS', 'ERROR', 'CANCELLED'];

/** Runs workflows on the Mistral of the cloud. The id of an execution follows from that of the caller, so that it is found again. */
export class MistralWorkflows implements SiteWorkflows {
  readonly #world: World;
  readonly #admit: (call: FabricCall) => Promise<void>;

  constructor(world: World, admit: (call: FabricCall) => Promise<void>) {
    this.#world = world;
    this.#admit = admit;
  }

  async run(request: WorkflowRequest, call: FabricCall, tell: Tell): Promise<WorkflowOutcome> {
    await this.#admit(call);
    const { name } = this.#world;
    const doing = `run workflow ${request.name} at ${name}`;
    const id = executionId(this.#world.siteId, request.id);
    const there = await this.#get(id, call.signal);
    if (there === undefined) await this.#start(request, id, doing, call.signal);
    else if (there.state === 'ERROR') await this.#goOn(id, call.signal);
    else if (there.state === 'PAUSED') await setExecutionState(this.#world.cloud, id, 'RUNNING', call.signal);
    const execution = await this.#follow(id, doing, tell, call.signal);
    const { statistics } = await executionReport(this.#world.cloud, id, call.signal);
    if (execution.state !== 'SUCCESS') throw await this.#failure(execution, doing, statistics, call.signal);
    return { execution: id, output: execution.output, tasks: countedTasks(statistics) };
  }

  async cancel(id: string, call: FabricCall): Promise<void> {
    await this.#admit(call);
    const which = executionId(this.#world.siteId, id);
    const there = await this.#get(which, call.signal);
    if (there === undefined || OVER.includes(there.state)) return;
    await setExecutionState(this.#world.cloud, which, 'CANCELLED', call.signal);
  }

  async #get(id: string, signal: AbortSignal): Promise<WorkflowExecution | undefined> {
    try {
      return await getExecution(this.#world.cloud, id, signal);
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
      throw error;
    }
  }

  async #start(
    { id, name, definition, input }: WorkflowRequest,
    execution: string,
    doing: string,
    signal: AbortSignal,
  ) {
    const { cloud, marks } = this.#world;
    try {
      if (definition !== undefined) await this.keep(definition, signal);
      const description = `${marks.siteTag} ${tag('id', id)}`;
      await startExecution(cloud, { id: execution, workflow: name, input, description }, signal);
    } catch (error) {
      if (!isSuperfluidityError(error)) throw error;
      const isWrong = error.code === 'SF-OPENSTACK-REFUSED' || error.code === 'SF-OPENSTACK-NOT-FOUND';
      if (!isWrong) throw error;
      throw new SuperfluidityError('SF-SITE-WORKFLOW-INVALID', { ...error.details, doing, cause: error });
    }
  }

  /** At the site, under the names that are in it. */
  async keep(definition: string, signal: AbortSignal): Promise<void> {
    const { cloud } = this.#world;
    try {
      await createWorkflows(cloud, definition, signal);
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) throw error;
      await updateWorkflows(cloud, definition, signal);
    }
  }

  /** From the tasks that failed. */
  async #goOn(id: string, signal: AbortSignal): Promise<void> {
    const failed = (await listTasks(this.#world.cloud, id, signal)).filter(({ state }) => state === 'ERROR');
    if (failed.length === 0) await setExecutionState(this.#world.cloud, id, 'RUNNING', signal);
    for (const task of failed) await rerunTask(this.#world.cloud, task.id, true, signal);
  }

  async #follow(id: string, doing: string, tell: Tell, signal: AbortSignal): Promise<WorkflowExecution> {
    const { cloud, clock } = this.#world;
    const told = new Map<string, string>();
    for (;;) {
      if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
      const execution = await getExecution(cloud, id, signal);
      for (const task of await listTasks(cloud, id, signal)) {
        if (told.get(task.id) === task.state || task.state === 'IDLE') continue;
        told.set(task.id, task.state);
        tell(progressOf(task));
      }
      if (OVER.includes(execution.state)) return execution;
      await clock.sleep(LIMITS.stackLookMs, signal).catch(() => {});
    }
  }

  async #failure(
    execution: WorkflowExecution,
    doing: string,
    statistics: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<SuperfluidityError> {
    const { cloud } = this.#world;
    const failed = (await listTasks(cloud, execution.id, signal)).filter(({ state }) => state === 'ERROR');
    const reason =
      (await taskError(this.#world, execution.id, signal)) ?? execution.state_info ?? `it is ${execution.state}`;
    return new SuperfluidityError('SF-SITE-WORKFLOW-FAILED', {
      doing,
      reason: reason.slice(0, 2_000),
      request: `execution ${execution.id}`,
      answer: `${execution.state}: ${execution.state_info ?? ''}`.slice(0, 2_000),
      data: {
        execution: execution.id,
        failed: failed.slice(0, 20).map((task) => task.name),
        tasks: countedTasks(statistics),
      },
    });
  }
}

/** What the first task that failed says of its action. */
export async function taskError({ cloud }: World, execution: string, signal: AbortSignal): Promise<string | undefined> {
  const task = (await listTasks(cloud, execution, signal)).find(({ state }) => state === 'ERROR');
  if (task === undefined) return undefined;
  const actions = await listActionExecutions(cloud, task.id, signal);
  const said = actions.find(({ state }) => state === 'ERROR');
  const info = said?.state_info ?? task.state_info ?? textIn(said?.output) ?? task.state;
  return `task ${task.name}: ${info}`.slice(0, 2_000);
}

function textIn(output: unknown): string | undefined {
  return output === undefined || output === null ? undefined : JSON.stringify(output);
}

function progressOf({ name, state, state_info: reason, updated_at: at }: WorkflowTask) {
  return {
    at: Date.parse(`${(at ?? '').replace(' ', 'T')}Z`) || 0,
    what: name,
    state,
    ...(state === 'ERROR' && (reason ?? '') !== '' ? { reason: reason! } : {}),
  };
}

/** `success_tasks_count: 2` as `{SUCCESS: 2}`. */
function countedTasks(statistics: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(statistics).flatMap(([name, count]) => {
      const state = /^(?!total)(.+)_tasks_count$/.exec(name)?.[1];
      return state === undefined || count === 0 ? [] : [[state.toUpperCase(), count]];
    }),
  );
}

/** A UUID (version 8 of RFC 9562) that follows from site and id. */
function executionId(siteId: string, id: string): string {
  const hex = createHash('sha256').update(`execution ${siteId} ${id}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
