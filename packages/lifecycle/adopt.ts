import type { Plan } from '@superfluidity/api';
import { invariant, newId, SuperfluidityError } from '@superfluidity/core';
import { readStack } from '@superfluidity/dialects';
import { type Service, unitsOf } from '@superfluidity/model';
import type { FoundStack } from '@superfluidity/site';
import { type AdoptedPart, type AdoptedStack, type PlannedStep, unitName } from './actions.ts';
import type { ResolvedDescriptor } from './catalogue.ts';
import { beginService, refuseSharedPrefixes } from './begin-service.ts';
import type { Grant } from './grant.ts';
import type { LifecycleOptions } from './options.ts';
import { planView } from './operation-records.ts';
import { storedPlan } from './plan.ts';
import type { Accepted, ServiceParts } from './services.ts';
import { previewStacks } from './stacks.ts';
import { nothingThere, planTransition } from './transition.ts';

/** A stack at a site that somebody else made, by its id or name, and what the service shall be called. */
export interface Adoption {
  readonly site: string;
  readonly stack: string;
  readonly name?: string | undefined;
}

/** Services that are made of stacks which are there: every resource goes on as it is. */
export interface Adoptions {
  plan(adoption: Adoption): Promise<Plan>;
  adopt(adoption: Adoption): Promise<Accepted>;
}

export function createAdoptions(
  options: LifecycleOptions,
  { sites, catalogue, operations }: Pick<ServiceParts, 'sites' | 'catalogue' | 'operations'>,
): Adoptions {
  const { store, clock } = options;

  async function prepare({ site, stack: wanted, name: given }: Adoption) {
    const doing = `adopt stack ${wanted} at ${site}`;
    const { stacks } = await sites.driver(site);
    if (stacks === undefined)
      throw new SuperfluidityError('SF-SITE-NO-STACKS', {
        doing,
        reason: `${site} makes no stacks`,
        hint: 'Name a site that is a cloud with Heat: `superfluidity site list`.',
      });
    const { stack, hosts } = await stacks.find(wanted, AbortSignal.timeout(FIND_MS));
    const file = `${stack.name}.yaml`;
    const source = descriptorOf(stack);
    const { service, parts, problems } = adoptable({ path: file, source }, doing);
    const descriptor: ResolvedDescriptor = { service, format: 'heat', source, file };
    const name = given ?? service.block.name;
    await refuseSharedPrefixes(store, service, name);
    const target = unitsOf(service).map(({ path }) => {
      const host = hosts[parts.units[path]!.server];
      invariant(host !== undefined, `the site knows where server ${parts.units[path]!.server} is`);
      return { path, index: 0, site, host };
    });
    const adopted: AdoptedStack = {
      stack,
      networks: Object.fromEntries(
        service.networks.map(({ name: network, prefix }) => [network, { prefix, ...parts.networks[network]! }]),
      ),
      units: Object.values(parts.units),
    };
    const { steps, after } = planTransition({
      name,
      service,
      current: { ...nothingThere, adopted: { [site]: adopted } },
      target,
      replace: new Set(),
      order: 'make-before-break',
      stacks: new Set([site]),
    });
    const plan = storedPlan('INSTANTIATE', name, grantedAsFound(service, target), steps.map(asAdoption(parts.units)));
    return { descriptor, name, plan, after, carried: problems.map(({ message }) => message) };
  }

  return {
    async plan(adoption) {
      const { plan, carried } = await prepare(adoption);
      const previews = await previewStacks(plan.steps, sites.driver);
      return { ...planView(plan), previews, carried };
    },
    async adopt(adoption) {
      const { descriptor, name, plan, after } = await prepare(adoption);
      const entry = await catalogue.onboard(descriptor);
      const operation = operations.make({
        service: name,
        kind: 'INSTANTIATE',
        automatic: false,
        params: { descriptor: entry.id, site: adoption.site, stack: adoption.stack },
        plan,
      });
      const desired = {
        slots: after.slots,
        stacks: after.stacks,
        prefixes: descriptor.service.networks.map(({ prefix }) => prefix),
        // What is new later belongs to the stack, too.
        sites: { [adoption.site]: adoption.site },
        ...(after.adopted === undefined ? {} : { adopted: after.adopted }),
      };
      const now = clock.now();
      await beginService(store, operations.records, { id: newId('svc', now), name, entry, desired, operation, now });
      await operations.start(operation);
      return { operation: operation.id, service: name };
    },
  };
}

const FIND_MS = 60_000;
const NAMED_MAX = 5;

/** The template with what its parameters are now as their defaults: the descriptor says what is there. */
function descriptorOf({ template, parameters }: FoundStack): string {
  const declared = Object.entries((template['parameters'] ?? {}) as Readonly<Record<string, object>>);
  const filled = declared.map(([name, one]) => {
    const value = parameters[name];
    return [name, value === undefined ? one : { ...one, default: value }] as const;
  });
  const all = filled.length === 0 ? template : { ...template, parameters: Object.fromEntries(filled) };
  return `${JSON.stringify(all, null, 2)}\n`;
}

function adoptable({ path, source }: { readonly path: string; readonly source: string }, doing: string) {
  const read = readStack({ path, bytes: new TextEncoder().encode(source) });
  if (read.service !== undefined) return read;
  const errors = read.problems.filter(({ severity }) => severity === 'error');
  const more = errors.length > NAMED_MAX ? `; and ${errors.length - NAMED_MAX} more` : '';
  throw new SuperfluidityError('SF-LIFECYCLE-ADOPTION', {
    doing,
    reason: `${errors
      .slice(0, NAMED_MAX)
      .map(({ message }) => message)
      .join('; ')}${more}`,
    data: { problems: read.problems },
  });
}

function grantedAsFound(service: Service, placed: Grant['placed']): Grant {
  const known = new Map(unitsOf(service).map((each) => [each.path, each.unit]));
  const assignments = placed.map((one) => ({
    ...one,
    unit: unitName(one),
    environment: known.get(one.path)!.execution!.environment,
    reasons: ['its server is there'],
  }));
  return { placed, assignments, chains: [], costPerHour: 0 };
}

/** The step that would make the stack, as one that takes it over. */
const asAdoption =
  (units: Readonly<Record<string, AdoptedStack['units'][number]>>) =>
  (step: PlannedStep): PlannedStep => {
    const { action } = step;
    invariant(action.verb === 'set-stack' && action.stack !== undefined, 'a found stack is all that there is to do');
    const stack = {
      ...action.stack,
      units: action.stack.units.map((unit) => ({ ...unit, found: units[unit.spec.path]! })),
    } as AdoptedPart;
    const { site } = action;
    const count = stack.units.length;
    return {
      ...step,
      title: `adopt stack ${stack.adopted.stack.name} at ${site}: ${count === 1 ? 'a unit' : `${count} units`}`,
      action: { verb: 'adopt-stack', site, stack },
    };
  };
