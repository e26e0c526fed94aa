import type { UnitScaling } from '@superfluidity/api';
import { reportError, SuperfluidityError } from '@superfluidity/core';
import { type Autoscale, resolveUnits, type Service, unitsOf } from '@superfluidity/model';
import { autoscaleDefaults } from '@superfluidity/scale';
import { sql, type Store } from '@superfluidity/store';
import type { Catalogue } from '../catalogue.ts';
import type { LifecycleOptions } from '../options.ts';
import { deciderOf, policiesOf, policyView, type UnitPolicy, unusable } from './policies.ts';
import type { ScalingRecords, StoredPolicy } from './records.ts';

/** Policies of units of services that are there. */
export interface Scaling {
  show(service: string): Promise<UnitScaling[]>;
  set(service: string, unit: string, policy: Autoscale): Promise<UnitScaling>;
  stop(service: string, unit: string): Promise<UnitScaling>;
  /** Makes policies what the descriptors say that services are made from by now; what a user has set stays. */
  takeOver(most: number): Promise<void>;
  scaleOf(service: string, unit: string): Promise<{ readonly min: number; readonly max: number } | undefined>;
}

export function createScaling(
  { store, events, limits, log }: LifecycleOptions,
  { catalogue, records }: { readonly catalogue: Catalogue; readonly records: ScalingRecords },
): Scaling {
  async function descriptorOf(name: string): Promise<Service> {
    const row = await store.db
      .selectFrom('service')
      .select('descriptor_id')
      .where('name', '=', name)
      .executeTakeFirst();
    if (row === undefined)
      throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', { reason: `there is no service '${name}'` });
    return (await catalogue.inUse(row.descriptor_id)).service;
  }

  const scaleOf = (service: Service, unit: string) =>
    unitsOf(service).find(({ path }) => path === unit)?.unit.scale ?? { min: 1, max: 1 };

  async function view(service: Service, stored: StoredPolicy, counts: Counts): Promise<UnitScaling> {
    const { unit, policy, origin, active, updatedAt } = stored;
    const { wanted, running } = counts.get(unit) ?? { wanted: 0, running: 0 };
    const last = await records.last(stored.service, unit);
    const scale = scaleOf(service, unit);
    const base = {
      unit,
      state: active ? ('active' as const) : ('stopped' as const),
      origin,
      policy: policyView(policy),
      instances: wanted,
      running,
      changedAt: updatedAt,
      ...(last === undefined ? {} : { last }),
    };
    try {
      const decider = deciderOf(policy, scale, unit);
      const { minReplicas: min, maxReplicas: max } = decider.bounds;
      const grid = decider.grid();
      return { ...base, min, max, ...(grid === undefined ? {} : { grid: grid as never }) };
    } catch (error) {
      return { ...base, ...scale, problem: error instanceof Error ? error.message : String(error) };
    }
  }

  async function one(name: string, unit: string): Promise<UnitScaling> {
    const [service, stored] = [await descriptorOf(name), await records.policy(name, unit)];
    return view(service, stored!, await instancesOf(store, name));
  }

  return {
    async show(name) {
      const [service, counts] = [await descriptorOf(name), await instancesOf(store, name)];
      const stored = await records.ofService(name);
      return Promise.all(stored.map((each) => view(service, each, counts)));
    },

    async set(name, reference, given) {
      const service = await descriptorOf(name);
      const unit = pathOf(service, reference, `set the scaling of ${reference}`);
      const scale = scaleOf(service, unit);
      if ('file' in given && given.file !== undefined)
        throw unusable(unit, 'a file cannot be named here: give what is in it');
      if (scale.min >= scale.max) throw unusable(unit, `the descriptor allows ${scale.min} of it and no other number`);
      const measuredBy = given.measuredBy?.map((path) => pathOf(service, path, `read what ${unit} is measured by`));
      const policy = measuredBy === undefined ? given : { ...given, measuredBy };
      deciderOf(policy, scale, unit);
      await records.put({ service: name, unit, policy, origin: 'user' }, policy.everyS ?? autoscaleDefaults.everyS);
      tell(name, unit, `${name}: ${unit} scales by a policy of kind ${policy.kind} from now on`);
      return one(name, unit);
    },

    async stop(name, reference) {
      const service = await descriptorOf(name);
      const unit = pathOf(service, reference, `stop the scaling of ${reference}`);
      if (!(await records.stop(name, unit))) {
        throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
          doing: `stop the scaling of ${unit}`,
          reason: 'it has no policy',
          hint: 'See `superfluidity service scaling show NAME`.',
        });
      }
      tell(name, unit, `${name}: ${unit} scales by itself no more`);
      return one(name, unit);
    },

    async takeOver(most) {
      for (const { service, descriptor } of await records.changed(most)) {
        const { service: described, baseFolder } = await catalogue.inUse(descriptor);
        let policies: readonly UnitPolicy[] = [];
        try {
          policies = await policiesOf(described, baseFolder, limits.scalingFileBytes);
        } catch (error) {
          // It was sound when the service was planned: a file is gone since.
          log.warn({ service, error: reportError(error) }, 'policies of scaling cannot be read');
          tell(service, service, `${service}: its policies of scaling cannot be read, ${reportError(error).message}`);
        }
        await records.replace(
          service,
          descriptor,
          policies.map((each) => ({ ...each, everyS: each.policy.everyS ?? autoscaleDefaults.everyS })),
          unitsOf(described).map(({ path }) => path),
        );
      }
    },

    async scaleOf(name, unit) {
      return scaleOf(await descriptorOf(name), unit);
    },
  };

  function tell(service: string, unit: string, message: string): void {
    events.append({ kind: 'scaling', subject: unit, service, severity: 'info', message, body: {} });
  }
}

type Counts = ReadonlyMap<string, { readonly wanted: number; readonly running: number }>;

async function instancesOf({ db }: Store, service: string): Promise<Counts> {
  const rows = await db
    .selectFrom('unit')
    .select([
      'path',
      sql<number>`count(*)::int`.as('wanted'),
      sql<number>`(count(*) filter (where state = 'running'))::int`.as('running'),
    ])
    .where('service', '=', service)
    .groupBy('path')
    .execute();
  return new Map(rows.map(({ path, wanted, running }) => [path, { wanted, running }]));
}

function pathOf(service: Service, reference: string, doing: string): string {
  const found = resolveUnits(service, reference);
  if (found.length === 1) return found[0]!.path;
  throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', {
    doing,
    reason: found.length === 0 ? `the service has no unit '${reference}'` : `'${reference}' has several units`,
    hint: `Its units are: ${unitsOf(service)
      .map(({ path }) => path)
      .join(', ')}.`,
  });
}
