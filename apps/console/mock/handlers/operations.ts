import { listShapes, pageOf } from '@superfluidity/api';
import type { Handlers } from '../handlers.ts';
import type { Look } from '../look.ts';
import { Refusal } from '../refusal.ts';
import type { Scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** Operations, and how they go on. */
export function operationHandlers(
  world: World,
  { operation, waiting }: Look,
  scenario: Scenario,
): Pick<
  Handlers,
  | 'runWorkflow'
  | 'listPlaybooks'
  | 'getInventory'
  | 'runPlaybook'
  | 'planAdoption'
  | 'adoptStack'
  | 'listOperations'
  | 'getOperation'
  | 'retryOperation'
  | 'rollbackOperation'
  | 'continueOperation'
  | 'failOperation'
  | 'cancelOperation'
> {
  return {
    runWorkflow: () => {
      throw new Refusal(422, 'SF-SITE-NO-WORKFLOWS', 'the site runs no workflows', 'See which sites do.');
    },
    listPlaybooks: () => [],
    getInventory: () => ({ all: { hosts: {}, children: {} } }),
    runPlaybook: () => {
      throw new Refusal(
        422,
        'SF-LIFECYCLE-PLAYBOOK',
        'this server runs no playbooks',
        'Start it with `--playbooks FOLDER`.',
      );
    },
    planAdoption: noStacks,
    adoptStack: noStacks,
    listOperations: ({ query }) => pageOf([...world.operations.values()], query as never, listShapes.operations),
    getOperation: ({ params }) => operation(params['id']),
    retryOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.retry(one.id)),
    rollbackOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.rollback(one.id)),
    continueOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.continue(one.id)),
    failOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.fail(one.id)),
    cancelOperation: ({ params }) => after(operation(params['id']), (one) => scenario.cancel(one.id)),
  };
}

function after<T>(value: T, act: (value: T) => void): T {
  act(value);
  return value;
}

function noStacks(): never {
  throw new Refusal(422, 'SF-SITE-NO-STACKS', 'the site makes no stacks', 'See which sites do.');
}
