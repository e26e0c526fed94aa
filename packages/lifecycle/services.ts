import type { OperationKind, Overlay, Plan, ServiceDetail, VerificationReport, WaysReport } from '@superfluidity/api';
import { newId, SuperfluidityError } from '@superfluidity/core';
import { type Service, type SitePath, unitsOf } from '@superfluidity/model';
import { toJson } from '@superfluidity/store';
import { type LearnedPorts, unitName } from './actions.ts';
import { beginService, refuseSharedPrefixes } from './begin-service.ts';
import type { Catalogue, ResolvedDescriptor } from './catalogue.ts';
import { type Grant, grantPlacement, type WantedUnit } from './grant.ts';
import { planView, type StoredPlan } from './operation-records.ts';
import type { Operations } from './operations.ts';
import type { LifecycleOptions } from './options.ts';
import { overlayOf } from './overlay.ts';
import { storedPlan, withVerification } from './plan.ts';
import { type PlaybookDefaults, playbookSteps } from './playbooks.ts';
import { loadOutline, loadService, type ServiceOutline, type ServiceRow } from './service-records.ts';
import { groupedDetail, serviceDetail } from './service-view.ts';
import { oneUnit, pin, placedOf, someUnits } from './service-units.ts';
import { refuseSharing } from './shared-networks.ts';
import { policiesOf } from './scaling/policies.ts';
import type { UpdateParams } from './service-consequences.ts';
import type { Sites } from './sites.ts';
import type { StandIns } from './stand-ins.ts';
import { type DeployWay, previewStacks, stackWay } from './stacks.ts';
import { nothingThere, type Placed, planTransition, type Situation, type Transition } from './transition.ts';
import type { UnitRecord, UnitRecords } from './unit-records.ts';
import { changedMeanwhile, wantedAfter } from './update.ts';
import {
  canBeRead,
  hasPolicies,
  refuseViolation,
  unknownPolicies,
  type Verification,
  type WaysQuestion,
} from './verification.ts';

/** Instances of services, and the operations that change them. */
export interface Services {
  plan(descriptor: ResolvedDescriptor, name?: string, how?: DeployWay): Promise<Plan>;
  deploy(descriptor: ResolvedDescriptor, name?: string, how?: DeployWay): Promise<Accepted>;
  /** `automatic`: by the policy of the unit; taken back when it fails. */
  scale(name: string, unit: string, count: number, automatic?: boolean): Promise<Accepted>;
  /** What would be done to make it what this descriptor says. */
  planUpdate(name: string, descriptor: ResolvedDescriptor, how?: DeployWay): Promise<Plan>;
  update(name: string, descriptor: ResolvedDescriptor, known: KnownService, how?: DeployWay): Promise<Accepted>;
  move(name: string, what: string, to: string, host?: string): Promise<Accepted>;
  /** The units that do not run, or the ones that are named. */
  heal(name: string, unit?: string): Promise<Accepted>;
  healUnits(name: string, units: ReadonlySet<string>, automatic: boolean): Promise<Accepted>;
  /** Units whose site has given them other addresses: what leads to them is set anew, and the records know it. */
  learnPorts(name: string, ports: LearnedPorts): Promise<Accepted>;
  terminate(name: string): Promise<Accepted>;
  /** With more than `unitsMax` units they are counted in groups, and few are told one by one. */
  show(name: string, unitsMax?: number): Promise<ServiceDetail>;
  overlay(name: string): Promise<Overlay>;
  /** Whether its policies hold on the data plane that it is meant to have, or on the one that its sites have now. */
  verify(name: string, realised: boolean): Promise<VerificationReport>;
  ways(name: string, question: WaysQuestion, realised: boolean): Promise<WaysReport>;
  /** Verified at the end of an operation, with which the report is kept. Undefined: it has no policies. */
  verifyAfter(name: string, operation: string): Promise<VerificationReport | undefined>;
  /** Names of the services with an operation that is not over. */
  busy(): Promise<ReadonlySet<string>>;
}

type Change = Pick<Transition, 'target' | 'replace' | 'order' | 'learned'>;

export interface Accepted {
  readonly operation: string;
  readonly service: string;
}

/** What whoever changes a service has seen of it: it is refused when it is not so any more. */
export interface KnownService {
  /** Id of the descriptor from which it is made. */
  readonly after?: string;
  /** Of the plan. */
  readonly digest?: string;
}

/** What the row of a service keeps besides its units and chains. */
export interface ServiceDesired {
  readonly slots: Situation['slots'];
  readonly prefixes: readonly string[];
  /** Absent in records from before there were any. */
  readonly stacks?: Situation['stacks'];
  readonly adopted?: Situation['adopted'];
  /** Absent: all sites may be used, as the descriptor names them. */
  readonly sites?: StandIns;
  /** Absent in records from before there were any, and of services that were adopted. */
  readonly playbooks?: PlaybookDefaults;
}

type PlannedPart = Pick<Transition, 'name' | 'service' | 'target' | 'current'>;

export interface ServiceParts {
  readonly sites: Sites;
  readonly catalogue: Catalogue;
  readonly units: UnitRecords;
  readonly operations: Operations;
  readonly verification: Verification;
}

export function createServices(options: LifecycleOptions, parts: ServiceParts): Services {
  const { store, clock } = options;
  const { sites, catalogue, units, operations, verification } = parts;
  const { db } = store;

  /** All that is known of a service that is there. */
  async function load(name: string): Promise<Loaded> {
    const { row, units: records, paths, lastOperation } = await loadService(store, name);
    const descriptor = await catalogue.inUse(row.descriptor_id);
    const { slots, stacks = [], adopted } = row.desired as unknown as ServiceDesired;
    const situation: Situation = {
      units: records.map((record) => record.planned),
      networks: await networksOf(name),
      chains: paths.filter((path) => path.active).map((path) => path.chain),
      leftovers: paths.filter((path) => !path.active).map((path) => path.chain),
      slots,
      stacks,
      ...(adopted === undefined ? {} : { adopted }),
    };
    return { row, descriptor, records, lastOperation, situation };
  }

  /** As the sites say; one that does not answer has none that could be removed now. */
  async function networksOf(service: string): Promise<Situation['networks']> {
    const perSite = await Promise.all(
      [...sites.drivers()].map(async ([site, driver]) => {
        const networks = await driver.fabric.listNetworks().catch(() => []);
        return networks.filter((each) => each.service === service).map((spec) => ({ site, network: spec.name, spec }));
      }),
    );
    return perSite.flat();
  }

  /** Where the wanted units go, or an error that says why they go nowhere. */
  async function grant(
    service: Service,
    wanted: readonly WantedUnit[],
    standIns: StandIns | undefined,
    doing: string,
  ): Promise<Grant> {
    const request = { service, wanted, ...(await sites.snapshot()), ...(standIns === undefined ? {} : { standIns }) };
    return grantPlacement(request, doing);
  }

  const spreadingSites = (): ReadonlySet<string> =>
    new Set([...sites.drivers()].flatMap(([site, { fabric }]) => (fabric.spreadsChains === true ? [site] : [])));

  /** What planning has to know of sites. Refuses what those that are in networks of others cannot have. */
  async function siteWays(how: DeployWay, what: PlannedPart, doing: string) {
    const homes = sites.homes();
    const ways = { ...stackWay(how, what.target, sites.drivers(), homes), homes, spreading: spreadingSites() };
    await refuseSharing({ ...what, homes, stacks: [...(ways.stacks ?? []), ...what.current.stacks] }, sites, doing);
    return ways;
  }

  async function transition(loaded: Loaded, change: Change, doing: string) {
    const { service, baseFolder } = loaded.descriptor;
    const part = { name: loaded.row.name, service, current: loaded.situation, ...change };
    const ways = await siteWays({}, part, doing);
    return planTransition({ ...part, ...ways, ...(baseFolder === undefined ? {} : { baseFolder }) });
  }

  /** An operation on a service that is there: recorded with what has to be true of it from now on, and started. */
  async function change(
    kind: OperationKind,
    loaded: Loaded,
    granted: Grant,
    what: Change,
    params: Record<string, unknown>,
    automatic = false,
  ): Promise<Accepted> {
    const { name, desired } = loaded.row;
    const { steps, after } = await transition(loaded, what, `${kind.toLowerCase()} ${name}`);
    const report = kind === 'TERMINATE' ? undefined : await intended(name, loaded.descriptor, after, loaded.records);
    // What heals brings back what was there; what ends breaks nothing.
    if (kind === 'SCALE' || kind === 'MOVE')
      refuseViolation(report, 'SF-LIFECYCLE-POLICY', `${kind.toLowerCase()} ${name}`);
    const mustHold = !automatic && kind !== 'HEAL';
    const verified = report === undefined ? steps : readBack(steps, name, after, mustHold);
    const plan = storedPlan(kind, name, granted, verified, report);
    const { slots, stacks } = after;
    const kept: ServiceDesired = { ...(desired as unknown as ServiceDesired), slots, stacks };
    const operation = operations.make({ service: name, kind, automatic, params, plan });
    await operations.records.insertAfter(loaded.lastOperation, operation, toJson(kept as never));
    await operations.start(operation);
    warnUnknown(operation.id, name, report);
    return { operation: operation.id, service: name };
  }

  async function intended(
    name: string,
    descriptor: ResolvedDescriptor,
    situation: Situation,
    records: readonly UnitRecord[],
  ): Promise<VerificationReport | undefined> {
    if (!hasPolicies(descriptor.service)) return undefined;
    const { paths } = await sites.snapshot();
    return verification.intended({ name, descriptor, situation, paths, records, homes: sites.homes() });
  }

  async function realised(
    name: string,
    descriptor: ResolvedDescriptor,
    situation: Situation,
    records: readonly UnitRecord[],
  ): Promise<VerificationReport | undefined> {
    if (!hasPolicies(descriptor.service)) return undefined;
    const { paths } = await sites.snapshot();
    return verification.realised({ name, descriptor, situation, paths, records, homes: sites.homes() });
  }

  /** Where all sites can be asked what they have, they are asked at the end. */
  function readBack(steps: Parameters<typeof withVerification>[0], name: string, after: Situation, mustHold: boolean) {
    const there =
      after.units.length > 0 &&
      canBeRead(
        sites.drivers(),
        after.units.map(({ site }) => site),
      );
    return there ? withVerification(steps, name, mustHold) : steps;
  }

  /** What the site's own orchestrators say that they would do. One that does not say it makes no other plan. */
  async function withPreviews(plan: StoredPlan): Promise<Plan> {
    const previews = await previewStacks(plan.steps, sites.driver);
    return { ...planView(plan), ...(previews.length === 0 ? {} : { previews }) };
  }

  function warnUnknown(operation: string, service: string, report: VerificationReport | undefined): void {
    const message = unknownPolicies(report);
    if (message === undefined) return;
    options.events.append({ kind: 'operation', subject: operation, service, severity: 'warning', message, body: {} });
  }

  async function planDeploy(descriptor: ResolvedDescriptor, name: string, how: DeployWay) {
    const { service, baseFolder } = descriptor;
    await refuseSharedPrefixes(store, service, name);
    await policiesOf(service, baseFolder, options.limits.scalingFileBytes);
    const wanted = unitsOf(service).flatMap(({ path, unit }) =>
      Array.from({ length: unit.scale?.initial ?? 1 }, (_, index) => ({ path, index })),
    );
    const granted = await grant(service, wanted, how.sites, `plan service ${name}`);
    const part = { name, service, current: nothingThere, target: granted.placed };
    const { steps, after } = planTransition({
      ...part,
      ...(baseFolder === undefined ? {} : { baseFolder }),
      replace: new Set(),
      order: 'make-before-break',
      ...(await siteWays(how, part, `plan service ${name}`)),
    });
    const report = await intended(name, descriptor, after, []);
    const verified = report === undefined ? steps : readBack(steps, name, after, true);
    const all = how.playbook ? await playbookSteps(options.playbooks, name, how.playbook, verified) : verified;
    return { plan: storedPlan('INSTANTIATE', name, granted, all, report), after };
  }

  async function planUpdate(name: string, descriptor: ResolvedDescriptor, how: DeployWay) {
    const loaded = await load(name);
    const old = loaded.descriptor;
    const doing = `update ${name}`;
    const { baseFolder = old.baseFolder } = descriptor;
    const next: ResolvedDescriptor = { ...descriptor, ...(baseFolder === undefined ? {} : { baseFolder }) };
    const { service } = next;
    if (service.block.name !== old.service.block.name) {
      throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
        doing,
        reason: `the descriptor is of ${service.block.name}, and the service is made from one of ${old.service.block.name}`,
        hint: 'Deploy another service from it: `superfluidity service deploy FILE --name NAME`.',
      });
    }
    await refuseSharedPrefixes(store, service, name);
    await policiesOf(service, baseFolder, options.limits.scalingFileBytes);
    const wanted = wantedAfter(service, old.service, placedOf(loaded));
    const granted = await grant(service, wanted, how.sites ?? standInsOf(loaded), doing);
    const part = { name, service, current: loaded.situation, target: granted.placed };
    const { steps, after } = planTransition({
      ...part,
      previous: old.service,
      ...(baseFolder === undefined ? {} : { baseFolder }),
      replace: new Set(),
      order: 'make-before-break',
      ...(await siteWays(how, part, doing)),
    });
    const report = await intended(name, next, after, loaded.records);
    const verified = report === undefined ? steps : readBack(steps, name, after, true);
    return { loaded, next, after, plan: storedPlan('UPDATE', name, granted, verified, report) };
  }

  const services: Services = {
    async plan(descriptor, name = descriptor.service.block.name, how = {}) {
      return withPreviews((await planDeploy(descriptor, name, how)).plan);
    },

    async deploy(descriptor, name = descriptor.service.block.name, how = {}) {
      // What cannot be placed is not onboarded either: a deployment that is refused changes nothing.
      const known = descriptor.id === undefined ? undefined : await catalogue.onboard(descriptor);
      refuseDisabled(known);
      const { plan, after } = await planDeploy(descriptor, name, how);
      refuseViolation(plan.verification, 'SF-LIFECYCLE-POLICY', `deploy ${name}`);
      const entry = known ?? (await catalogue.onboard(descriptor));
      refuseDisabled(entry);
      const now = clock.now();
      const desired: ServiceDesired = {
        slots: after.slots,
        stacks: after.stacks,
        prefixes: descriptor.service.networks.map((each) => each.prefix),
        ...(how.sites === undefined ? {} : { sites: how.sites }),
        ...(how.playbooks === undefined ? {} : { playbooks: how.playbooks }),
      };
      const operation = operations.make({
        service: name,
        kind: 'INSTANTIATE',
        automatic: false,
        params: { descriptor: entry.id },
        plan,
      });
      const id = newId('svc', now);
      await beginService(store, operations.records, { id, name, entry, desired, operation, now });
      await operations.start(operation);
      warnUnknown(operation.id, name, plan.verification);
      return { operation: operation.id, service: name };
    },

    async planUpdate(name, descriptor, how = {}) {
      return withPreviews((await planUpdate(name, descriptor, how)).plan);
    },

    async update(name, descriptor, known, how = {}) {
      const { loaded, next, plan, after } = await planUpdate(name, descriptor, how);
      const { row, lastOperation } = loaded;
      if (known.after !== undefined && known.after !== row.descriptor_id) {
        throw changedMeanwhile(name, `it is made from ${row.descriptor_id} by now`, { newest: row.descriptor_id });
      }
      if (known.digest !== undefined && known.digest !== plan.digest) {
        throw changedMeanwhile(name, 'what would be done is not what was planned', { digest: plan.digest });
      }
      refuseViolation(plan.verification, 'SF-LIFECYCLE-POLICY', `update ${name}`);
      const entry = await catalogue.onboard(next);
      refuseDisabled(entry);
      if (entry.id === row.descriptor_id) {
        throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
          doing: `update ${name}`,
          reason: `it is made from ${entry.name} ${entry.version} already`,
        });
      }
      const before = row.desired as unknown as ServiceDesired;
      const prefixes = next.service.networks.map(({ prefix }) => prefix);
      // Until it is over, the service may have networks of both.
      const standIns = how.sites ?? before.sites;
      const kept: ServiceDesired = {
        ...before,
        slots: after.slots,
        stacks: after.stacks,
        prefixes: [...new Set([...before.prefixes, ...prefixes])],
        ...(standIns === undefined ? {} : { sites: standIns }),
      };
      const params: UpdateParams = {
        descriptor: entry.id,
        before: row.descriptor_id,
        prefixes,
        prefixesBefore: before.prefixes,
      };
      const operation = operations.make({
        service: name,
        kind: 'UPDATE',
        automatic: false,
        params: { ...params },
        plan,
      });
      await operations.records.insertAfter(lastOperation, operation, toJson(kept as never), entry.id);
      await db.updateTable('descriptor').set({ usage_state: 'IN_USE' }).where('id', '=', entry.id).execute();
      await operations.start(operation);
      warnUnknown(operation.id, name, plan.verification);
      return { operation: operation.id, service: name };
    },

    async scale(name, unit, count, automatic = false) {
      const loaded = await load(name);
      const { service } = loaded.descriptor;
      const known = oneUnit(service, unit, `scale ${name}`);
      const { min, max } = known.unit.scale ?? { min: 1, max: 1 };
      if (count < min || count > max) {
        throw new SuperfluidityError('SF-LIFECYCLE-SCALE', {
          doing: `scale ${known.path} of ${name} to ${count}`,
          reason: `the descriptor allows ${min} to ${max}`,
        });
      }
      const here = placedOf(loaded);
      const mine = here.filter((placed) => placed.path === known.path).toSorted((a, b) => a.index - b.index);
      const others = here.filter((placed) => placed.path !== known.path);
      const kept = mine.slice(0, count);
      const used = new Set(kept.map((placed) => placed.index));
      const fresh: { path: string; index: number }[] = [];
      for (let index = 0; kept.length + fresh.length < count; index += 1) {
        if (!used.has(index)) fresh.push({ path: known.path, index });
      }
      const granted = await grant(
        service,
        [...others.map(pin), ...kept.map(pin), ...fresh],
        standInsOf(loaded),
        `scale ${known.path} of ${name}`,
      );
      const what = { target: granted.placed, replace: new Set<string>(), order: 'make-before-break' } as const;
      return change('SCALE', loaded, granted, what, { unit: known.path, count }, automatic);
    },

    async move(name, what, to, host) {
      const loaded = await load(name);
      const { service } = loaded.descriptor;
      const moved = new Set(someUnits(service, what, `move ${what} of ${name}`).map(({ path }) => path));
      await sites.show(to);
      const here = placedOf(loaded);
      if (
        here.every((placed) => !moved.has(placed.path) || (placed.site === to && (host ?? placed.host) === placed.host))
      ) {
        throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
          doing: `move ${what} of ${name}`,
          reason: `it is at ${to} already`,
        });
      }
      const place = (placed: Placed): WantedUnit => {
        if (!moved.has(placed.path)) return pin(placed);
        return { path: placed.path, index: placed.index, to: { site: to, ...(host === undefined ? {} : { host }) } };
      };
      const granted = await grant(service, here.map(place), standInsOf(loaded), `move ${what} of ${name} to ${to}`);
      const how = { target: granted.placed, replace: new Set<string>(), order: 'make-before-break' } as const;
      return change('MOVE', loaded, granted, how, { what, to, ...(host === undefined ? {} : { host }) });
    },

    async heal(name, unit) {
      const { descriptor, records } = await load(name);
      const paths =
        unit === undefined
          ? undefined
          : new Set(someUnits(descriptor.service, unit, `heal ${name}`).map(({ path }) => path));
      const chosen: string[] = [];
      for (const { planned } of records) {
        const named = paths?.has(planned.spec.path);
        if (named === false) continue;
        if (named === true || (await stateAt(planned.site, planned.spec.id)) !== 'running')
          chosen.push(planned.spec.id);
      }
      if (chosen.length === 0) {
        throw new SuperfluidityError('SF-LIFECYCLE-STATE', { doing: `heal ${name}`, reason: 'all its units run' });
      }
      return services.healUnits(name, new Set(chosen), false);
    },

    async healUnits(name, replace, automatic) {
      const loaded = await load(name);
      // A host that is down, or a site that is lost, gets nothing: the place is chosen anew where the old one is out.
      const { sites: known } = await sites.snapshot();
      const usable = (placed: Placed) =>
        known.some(
          (site) =>
            site.name === placed.site &&
            site.healthy &&
            site.hosts.some((each) => each.name === placed.host && each.schedulable),
        );
      const dead = new Set(
        loaded.situation.units.filter((unit) => replace.has(unit.spec.id)).map((unit) => unitName(unit.spec)),
      );
      const wanted = placedOf(loaded).map((placed) =>
        dead.has(unitName(placed)) && !usable(placed) ? { path: placed.path, index: placed.index } : pin(placed),
      );
      const granted = await grant(loaded.descriptor.service, wanted, standInsOf(loaded), `heal ${name}`);
      const what = { target: granted.placed, replace, order: 'break-before-make' } as const;
      return change('HEAL', loaded, granted, what, { units: [...dead] }, automatic);
    },

    async learnPorts(name, learned) {
      const loaded = await load(name);
      const records = loaded.records.map((record) => {
        const ports = learned[record.planned.spec.id];
        return ports === undefined ? record : { ...record, ports };
      });
      const names = loaded.situation.units.filter(({ spec }) => learned[spec.id] !== undefined).map(({ spec }) => spec);
      // Nothing goes anywhere else.
      const granted: Grant = { placed: placedOf(loaded), assignments: [], chains: [], costPerHour: 0 };
      const what = { target: granted.placed, replace: new Set<string>(), order: 'break-before-make', learned } as const;
      return change('HEAL', { ...loaded, records }, granted, what, { units: names.map(unitName) }, true);
    },

    async terminate(name) {
      const loaded = await load(name);
      const what = { target: [], replace: new Set<string>(), order: 'make-before-break' } as const;
      const nothing: Grant = { placed: [], assignments: [], chains: [], costPerHour: 0 };
      return change('TERMINATE', loaded, nothing, what, {});
    },

    async show(name, unitsMax = Number.POSITIVE_INFINITY) {
      const { paths } = await sites.snapshot();
      const busy = (await activeOperations()).get(name);
      if (unitsMax < Number.POSITIVE_INFINITY) {
        const groups = await units.groupsOf(name);
        const count = groups.reduce((sum, group) => sum + group.count, 0);
        const outline = count > unitsMax ? await loadOutline(store, name) : undefined;
        if (outline !== undefined) return grouped(outline, groups, paths, busy);
      }
      return serviceDetail(await load(name), paths, busy, sites.homes());
    },

    async overlay(name) {
      const outline = await loadOutline(store, name);
      if (outline === undefined) {
        throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', { reason: `there is no service '${name}'` });
      }
      const hops = outline.chains.flatMap((chain) => chain.hops.map(({ unitId }) => unitId));
      return overlayOf(name, outline.chains, await units.get([...new Set(hops)]), sites.driver);
    },

    async verify(name, asked) {
      const { descriptor, situation, records } = await load(name);
      const report = await (asked ? realised : intended)(name, descriptor, situation, records);
      if (report !== undefined) return report;
      throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
        doing: `verify ${name}`,
        reason: 'its descriptor has no policies',
        hint: 'Write some under `policies:`; docs/guides/verify.md says how.',
      });
    },

    async ways(name, question, asked) {
      const { descriptor, situation, records } = await load(name);
      const { paths } = await sites.snapshot();
      const homes = sites.homes();
      return verification.ways({ name, descriptor, situation, paths, records, homes }, question, asked);
    },

    async verifyAfter(name, operation) {
      const { descriptor, situation, records } = await load(name);
      const report = await realised(name, descriptor, situation, records);
      if (report !== undefined) await operations.records.keepRealised(operation, report);
      return report;
    },

    async busy() {
      return new Set((await activeOperations()).keys());
    },
  };
  return services;

  /** Told one by one are the hops of chains, and units that are alone on their host. */
  async function grouped(
    outline: ServiceOutline,
    groups: Awaited<ReturnType<UnitRecords['groupsOf']>>,
    paths: readonly SitePath[],
    busy: string | undefined,
  ): Promise<ServiceDetail> {
    const alone = groups.flatMap(({ count, oneOf }) => (count === 1 ? [oneOf] : []));
    const hops = outline.chains.flatMap((chain) => chain.hops.map(({ unitId }) => unitId));
    const told = [...new Set([...hops, ...alone.slice(0, options.limits.unitsTold)])];
    const records = await units.get(told);
    const descriptor = await catalogue.inUse(outline.row.descriptor_id);
    const counted = groups.map(({ oneOf: _oneOf, ...group }) => group);
    return groupedDetail(outline, descriptor, counted, [...records.values()], paths, busy, sites.homes());
  }

  async function stateAt(site: string, id: string) {
    return (await (await sites.driver(site)).getUnit(id))?.state;
  }

  async function activeOperations(): Promise<ReadonlyMap<string, string>> {
    const rows = await db
      .selectFrom('operation')
      .select(['service', 'id'])
      .where('state', 'in', ['STARTING', 'PROCESSING', 'FAILED_TEMP', 'ROLLING_BACK'])
      .execute();
    return new Map(rows.map((row) => [row.service, row.id]));
  }
}

function refuseDisabled(entry: Awaited<ReturnType<Catalogue['onboard']>> | undefined): void {
  if (entry?.operationalState !== 'DISABLED') return;
  throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
    doing: `deploy ${entry.name}`,
    reason: 'the descriptor is disabled',
    hint: `Enable it with \`superfluidity descriptor enable ${entry.name}\`.`,
  });
}

export interface Loaded {
  readonly row: ServiceRow;
  readonly descriptor: ResolvedDescriptor;
  readonly records: readonly UnitRecord[];
  readonly lastOperation: string | undefined;
  readonly situation: Situation;
}

const standInsOf = (loaded: Loaded): StandIns | undefined => (loaded.row.desired as unknown as ServiceDesired).sites;
