import type { WorkflowRun } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { readYamlText } from '@superfluidity/dialects';
import type { PlannedStep } from './actions.ts';
import type { Grant } from './grant.ts';
import type { Operations } from './operations.ts';
import { storedPlan } from './plan.ts';
import type { Accepted } from './services.ts';
import type { Sites } from './sites.ts';

const NOTHING_PLACED: Grant = { placed: [], assignments: [], chains: [], costPerHour: 0 };

/** An operation of one step, which runs a workflow on a site's own engine. One of a name at a site at a time. */
export async function runWorkflow(
  { sites, operations }: { readonly sites: Sites; readonly operations: Operations },
  run: WorkflowRun,
): Promise<Accepted> {
  const { site, definition, input, timeoutMs } = run;
  const name = run.name ?? onlyName(definition);
  const doing = `run workflow ${name} at ${site}`;
  if ((await sites.driver(site)).workflows === undefined) {
    throw new SuperfluidityError('SF-SITE-NO-WORKFLOWS', { doing, reason: `${site} runs no workflows` });
  }
  const step: PlannedStep = {
    id: `workflow@${site}`,
    title: doing,
    dependsOn: [],
    action: {
      verb: 'run-workflow',
      site,
      workflow: { name, input, ...(definition === undefined ? {} : { definition }) },
      timeoutMs,
    },
  };
  const subject = `workflow:${site}:${name}`;
  const plan = storedPlan('WORKFLOW', subject, NOTHING_PLACED, [step]);
  const operation = operations.make({
    service: subject,
    kind: 'WORKFLOW',
    automatic: false,
    // Values of the input may be secrets: whoever may see operations sees their names.
    params: { site, workflow: name, input: Object.keys(input) },
    plan,
  });
  await operations.records.insertAlone(operation);
  await operations.start(operation);
  return { operation: operation.id, service: subject };
}

function onlyName(definition: string | undefined): string {
  const doing = 'run a workflow';
  if (definition === undefined) {
    throw new SuperfluidityError('SF-SITE-WORKFLOW-INVALID', {
      doing,
      reason: 'neither a name nor a definition is given',
    });
  }
  const { value, problems } = readYamlText(new TextEncoder().encode(definition));
  const names =
    typeof value === 'object' && value !== null ? Object.keys(value).filter((key) => key !== 'version') : [];
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  throw new SuperfluidityError('SF-SITE-WORKFLOW-INVALID', {
    doing,
    reason: problems[0]?.message ?? `the definition has ${names.length} workflows: name one`,
  });
}
