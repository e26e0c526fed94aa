import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { FabricCall } from '@superfluidity/fabric';
import type { SiteStacks, Tell } from '@superfluidity/site';
import type { Action, AdoptedPart, PlannedStack, PlaybookOrder } from './actions.ts';
import type { ActionPorts } from './actions-run.ts';
import { inventoryOf } from './inventory.ts';
import { stackSpec } from './stacks.ts';
import type { StepNews } from './step-news.ts';

/** What a site's own orchestrator does: a stack is set, a workflow is run, and both are followed to their end. */
export async function setStack(
  ports: Pick<ActionPorts, 'driver' | 'units'>,
  site: string,
  stack: PlannedStack | undefined,
  previous: PlannedStack | undefined,
  call: FabricCall,
  tell: Tell,
): Promise<void> {
  const stacks = await stacksOf(ports, site);
  if (stack !== undefined) {
    const statuses = await stacks.ensure(stackSpec(stack), call, tell);
    await ports.units.put(stack.units.map(({ after: _, ...unit }, at) => ({ unit, status: statuses[at]! })));
  } else if (previous !== undefined) await stacks.remove(previous.id, call, tell);
  const stay = new Set(stack?.units.map(({ spec }) => spec.id));
  await ports.units.remove((previous?.units ?? []).map(({ spec }) => spec.id).filter((id) => !stay.has(id)));
}

/** Nothing of it is removed but our records of it. */
export async function releaseStack(
  ports: Pick<ActionPorts, 'driver' | 'units'>,
  site: string,
  { id, adopted, units }: AdoptedPart,
  call: FabricCall,
  tell: Tell,
): Promise<void> {
  await (await stacksOf(ports, site)).release(id, adopted.stack, call, tell);
  await ports.units.remove(units.map(({ spec }) => spec.id));
}

async function stacksOf({ driver }: Pick<ActionPorts, 'driver'>, site: string): Promise<SiteStacks> {
  const { stacks } = await driver(site);
  if (stacks !== undefined) return stacks;
  throw new SuperfluidityError('SF-SITE-NO-STACKS', { doing: `set a stack at ${site}`, reason: `${site} has none` });
}

/** How long the site gets to end what somebody cancelled. */
const CANCEL_MS = 10_000;

export async function runWorkflow(
  ports: Pick<ActionPorts, 'driver'>,
  site: string,
  workflow: Extract<Action, { readonly verb: 'run-workflow' }>['workflow'],
  call: FabricCall,
  news: StepNews,
): Promise<void> {
  const { workflows } = await ports.driver(site);
  if (workflows === undefined) {
    throw new SuperfluidityError('SF-SITE-NO-WORKFLOWS', {
      doing: `run workflow ${workflow.name} at ${site}`,
      reason: `${site} has none`,
    });
  }
  try {
    news.result(await workflows.run({ id: call.key, ...workflow }, call, news.tell));
  } catch (error) {
    // Whoever stops here for another reason, as a server that goes, leaves it to who takes over.
    if (isSuperfluidityError(call.signal.reason, 'SF-CORE-CANCELLED'))
      await workflows.cancel(call.key, { ...call, signal: AbortSignal.timeout(CANCEL_MS) });
    throw error;
  }
}

/** Over the units that are there now. */
export async function runPlaybook(
  ports: Pick<ActionPorts, 'playbooks' | 'units'>,
  service: string,
  order: PlaybookOrder,
  call: FabricCall,
  news: StepNews,
): Promise<void> {
  const { playbooks, units } = ports;
  if (playbooks === undefined) {
    throw new SuperfluidityError('SF-LIFECYCLE-PLAYBOOK', {
      doing: `run playbook ${order.playbook} over ${service}`,
      reason: 'this server runs no playbooks',
      hint: 'Start it with `--playbooks FOLDER`.',
    });
  }
  const inventory = inventoryOf(await units.ofService(service));
  news.result(await playbooks.run({ ...order, service, inventory }, call.signal, news.tell));
}
