import { randomUUID } from 'node:crypto';
import { SuperfluidityError } from '@superfluidity/core';
import {
  deleteExecution,
  getExecution,
  path,
  stackBody,
  startExecution,
  type StackSource,
} from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import type { StackCarrier } from '../heat/carrier.ts';
import type { World } from '../world.ts';
import { taskError, type MistralWorkflows } from './workflows.ts';

/**
 * Heat is asked by a workflow, with the token that Mistral has of whoever started it: none is in its input. The action is
 * `std.http`, which every Mistral has; `heat.stacks_create` and its like are in mistral-extra, which many clouds do not have.
 */
const NAME = 'superfluidity_ask_heat';
const DEFINITION = `version: '2.0'

${NAME}:
  description: Asks Heat to make, change or delete a stack
  input: [method, url, body]
  tasks:
    ask:
      action: std.http
      input:
        method: <% $.method %>
        url: <% $.url %>
        headers:
          X-Auth-Token: <% $.openstack.auth_token %>
          Content-Type: application/json
          Accept: application/json
        body: <% $.body %>
        timeout: 120
`;

export function mistralCarrier(world: World, workflows: MistralWorkflows): StackCarrier {
  let isKept = false;

  async function ask(method: string, at: string, body: unknown, doing: string, signal: AbortSignal): Promise<void> {
    const { cloud, clock } = world;
    const heat = await cloud.endpoint('orchestration');
    if (heat === undefined)
      throw new SuperfluidityError('SF-OPENSTACK-NO-SERVICE', { doing, reason: 'no endpoint of orchestration' });
    if (!isKept) await workflows.keep(DEFINITION, signal);
    isKept = true;
    const id = randomUUID();
    const input = { method, url: `${heat}${at}`, body };
    await startExecution(cloud, { id, workflow: NAME, input, description: `${world.marks.siteTag} ${doing}` }, signal);
    try {
      for (;;) {
        const { state, state_info: info } = await getExecution(cloud, id, signal);
        if (state === 'SUCCESS') return;
        if (state === 'ERROR' || state === 'CANCELLED') {
          const reason = (await taskError(world, id, signal)) ?? info ?? state;
          throw new SuperfluidityError('SF-SITE-WORKFLOW-FAILED', {
            doing,
            reason,
            request: `execution ${id} of ${NAME}`,
          });
        }
        await clock.sleep(LIMITS.carrierLookMs, signal);
      }
    } finally {
      // What a unit is told may be secret, and is in the input.
      await deleteExecution(cloud, id, AbortSignal.timeout(LIMITS.askMs)).catch((error: unknown) =>
        world.log.warn({ execution: id, error: String(error) }, 'an execution is left at the site'),
      );
    }
  }

  return {
    create: (name, source, signal) => ask('POST', '/stacks', body(source, name), `create stack ${name}`, signal),
    update: ({ name, id }, source, reuse, signal) =>
      ask(reuse ? 'PATCH' : 'PUT', path`/stacks/${name}/${id}`, body(source), `update stack ${name}`, signal),
    delete: ({ name, id }, signal) => ask('DELETE', path`/stacks/${name}/${id}`, null, `delete stack ${name}`, signal),
  };
}

function body(source: StackSource, name?: string): Readonly<Record<string, unknown>> {
  return { ...stackBody(source), ...(name === undefined ? {} : { stack_name: name }) };
}
