import type { VerificationReport } from '@superfluidity/api';
import { isSuperfluidityError, reportError, SuperfluidityError } from '@superfluidity/core';
import {
  activationOrder,
  type BalancerMember,
  type BalancerSpec,
  type FabricCall,
  type PortStatus,
  renderChain,
  type SitePath,
} from '@superfluidity/fabric';
import type { SiteDriver, Tell, UnitOutcome } from '@superfluidity/site';
import { releaseStack, runPlaybook, runWorkflow, setStack } from './actions-elsewhere.ts';
import type { Action, LearnedPorts, PlannedBalancer, PlannedChain, PlannedMember, PlannedUnit } from './actions.ts';
import type { PlaybookRunner } from './playbooks.ts';
import type { LinkPorts, Sites } from './sites.ts';
import type { StepNews } from './step-news.ts';
import type { ChainRecords, UnitRecords } from './unit-records.ts';
import { notAsMeant, refuseViolation, unknownPolicies } from './verification.ts';

/**
 * Carries out actions and takes them back. Every action may run twice, or run after a crash in its middle: sites
 * recognise what is there already, records are replaced.
 */
export interface ActionRunner {
  /** What is told of a step that takes long is kept with it. */
  run(action: Action, call: FabricCall, operation: string, news: StepNews): Promise<void>;
  undo(action: Action, call: FabricCall, operation: string, news: StepNews): Promise<void>;
}

export interface ActionPorts {
  driver(site: string): Promise<SiteDriver>;
  readonly units: UnitRecords;
  readonly chains: ChainRecords;
  /** Holds the policies of the service against what the sites have, and keeps the report with the operation. */
  verify(service: string, operation: string): Promise<VerificationReport | undefined>;
  /** Undefined: this server runs none. */
  readonly playbooks: PlaybookRunner | undefined;
  readonly sites: Pick<Sites, 'add' | 'remove'>;
  readonly links: Pick<LinkPorts, 'realise' | 'drop' | 'keep'>;
  /** Tells people. */
  warn(operation: string, service: string, message: string): void;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  now(): number;
}

const SETTLE_POLL_MS = 50;

export function actionRunner(ports: ActionPorts): ActionRunner {
  const run = (action: Action, call: FabricCall, operation: string, news: StepNews) =>
    verbs(ports, call, operation, news)[action.verb](action as never);
  return {
    run,
    async undo(action, call, operation, news) {
      for (const opposite of oppositesOf(action)) await run(opposite, call, operation, news);
    },
  };
}

/** What takes an action back. */
function oppositesOf(action: Action): readonly Action[] {
  switch (action.verb) {
    case 'create-network':
      return [{ ...action, verb: 'remove-network' }];
    case 'remove-network':
      return [{ ...action, verb: 'create-network' }];
    case 'create-units':
      return [{ ...action, verb: 'remove-units' }];
    case 'remove-units':
      return [{ ...action, verb: 'create-units' }];
    case 'set-stack':
      return [{ ...action, stack: action.previous, previous: action.stack }];
    case 'adopt-stack':
      return [{ ...action, verb: 'release-stack' }];
    case 'release-stack':
      return [{ ...action, verb: 'adopt-stack' }];
    case 'add-site':
      return [{ ...action, verb: 'drop-site' }];
    case 'drop-site':
      return [{ ...action, verb: 'add-site' }];
    case 'run-playbook':
    case 'run-workflow':
      // What it did is known to whoever wrote it: only that it goes on is taken back.
      return [];
    case 'drain-units':
    case 'settle-chain':
      // A unit that was asked to finish has finished: to serve again it is replaced.
      return [];
    case 'verify-service':
      return [];
    case 'learn-ports':
      // Units have these addresses, whatever else failed.
      return [];
    case 'set-link':
      // Of one that was not there before, the other end is undone by the step of the other site.
      return action.previous === undefined
        ? [{ verb: 'drop-link', site: action.site, link: action.link }]
        : [{ ...action, link: action.previous, previous: action.link }];
    case 'drop-link':
      return [{ verb: 'set-link', site: action.site, link: action.link, previous: undefined }];
    case 'keep-link':
      return [{ ...action, link: action.previous, previous: action.link }];
    case 'install-chain':
      return [{ verb: 'remove-chain', chain: action.chain, wasActive: false }];
    case 'activate-chain':
      return action.previous === undefined ? [] : [{ verb: 'activate-chain', chain: action.previous }];
    case 'remove-chain': {
      const install: Action = { verb: 'install-chain', chain: action.chain };
      return action.wasActive ? [install, { verb: 'activate-chain', chain: action.chain }] : [install];
    }
    case 'set-balancer':
      return [{ ...action, balancer: action.previous, previous: action.balancer }];
    case 'prepare-pools':
      return [{ ...action, classes: action.previous, previous: action.classes }];
  }
}

type VerbTable = { readonly [V in Action['verb']]: (action: Extract<Action, { verb: V }>) => Promise<void> };

function verbs(ports: ActionPorts, call: FabricCall, operation: string, news: StepNews): VerbTable {
  const fabric = async (site: string) => (await ports.driver(site)).fabric;
  return {
    'create-network': async ({ site, spec, of }) => {
      // Whoever has made it tells again what it is called there.
      const segment = of === undefined ? undefined : await (await fabric(of)).ensureNetwork(spec, call);
      await (await fabric(site)).ensureNetwork(spec, call, segment);
    },
    'remove-network': async ({ site, spec }) => (await fabric(site)).removeNetwork(spec.id, call),
    'create-units': async ({ site, units }) => createUnits(ports, site, units, call, news.tell),
    'drain-units': async ({ site, units }) => {
      const driver = await ports.driver(site);
      for (const unit of units) await ignoringUnknown(driver.drainUnit(unit.spec.id, call));
      await ports.units.setState(
        units.map((unit) => unit.spec.id),
        'draining',
      );
    },
    'remove-units': async ({ site, units }) => {
      const ids = units.map((unit) => unit.spec.id);
      await (await ports.driver(site)).removeUnits(ids, call);
      await ports.units.remove(ids);
    },
    'set-stack': ({ site, stack, previous }) => setStack(ports, site, stack, previous, call, news.tell),
    'adopt-stack': ({ site, stack }) => setStack(ports, site, stack, undefined, call, news.tell),
    'release-stack': ({ site, stack }) => releaseStack(ports, site, stack, call, news.tell),
    'run-workflow': ({ site, workflow }) => runWorkflow(ports, site, workflow, call, news),
    'run-playbook': ({ service, order }) => runPlaybook(ports, service, order, call, news),
    'add-site': async ({ declaration }) => void (await ports.sites.add(declaration)),
    'drop-site': async ({ declaration }) => ignoringUnknownSite(ports.sites.remove(declaration.name)),
    'install-chain': async ({ chain, learned }) => {
      await ports.chains.put(serviceOf(chain), chain);
      // In any order: nothing is sent by this version before all sites have it.
      const paths = await renderPlanned(knowing(ports, learned), chain);
      await Promise.all(paths.map(async (path) => (await fabric(path.site)).ensurePath(path, call)));
    },
    'activate-chain': async ({ chain, learned }) => {
      for (const path of activationOrder(await renderPlanned(knowing(ports, learned), chain))) {
        await (await fabric(path.site)).activatePath(chain.id, chain.version, call);
      }
      await ports.chains.activate(serviceOf(chain), chain);
    },
    'settle-chain': async ({ chain, timeoutMs }) => {
      const classifier = await fabric(chain.hops[0]!.site);
      const deadline = ports.now() + timeoutMs;
      while ((await classifier.countFlows(chain.id, chain.version)) > 0) {
        // Flows that do not end in time are cut: the bound was the user's patience, not the flows'.
        if (ports.now() >= deadline) return;
        await ports.sleep(SETTLE_POLL_MS, call.signal);
      }
    },
    'remove-chain': async ({ chain }) => {
      for (const site of new Set(chain.hops.map((hop) => hop.site))) {
        await (await fabric(site)).removePath(chain.id, chain.version, call);
      }
      await ports.chains.remove(serviceOf(chain), chain);
    },
    'set-balancer': async ({ site, balancer, previous, learned }) => {
      const backend = await fabric(site);
      const known = knowing(ports, learned);
      if (balancer !== undefined) await backend.ensureBalancer(await renderBalancer(known, balancer), call);
      else if (previous !== undefined) await backend.removeBalancer(previous.id, call);
    },
    'learn-ports': ({ ports: learned }) => ports.units.setPorts(learned),
    'prepare-pools': async ({ site, service, classes }) => {
      await (await ports.driver(site)).prepare(service, classes, call);
    },
    'set-link': async ({ site, link }) => ports.links.realise(site, link, call),
    'drop-link': async ({ site, link }) => ports.links.drop(site, link, call),
    'keep-link': async ({ link, previous }) => ports.links.keep(link, previous),
    'verify-service': async ({ service, mustHold }) => {
      const report = await ports.verify(service, operation).catch((error: unknown) => {
        if (mustHold) throw error;
        // A repair is not taken back because a site does not say what it has.
        ports.warn(operation, service, `policies were not verified: ${reportError(error).message}`);
        return undefined;
      });
      if (mustHold) {
        refuseViolation(report, 'SF-LIFECYCLE-POLICY-REALISED', `verify ${service} on what its sites have`);
      }
      const violated = report?.policies.filter(({ answer }) => answer === 'violated') ?? [];
      for (const { policy, because } of violated) ports.warn(operation, service, `policy '${policy}': ${because}`);
      for (const message of [unknownPolicies(report), notAsMeant(report)]) {
        if (message !== undefined) ports.warn(operation, service, message);
      }
    },
  };
}

const serviceOf = (chain: PlannedChain): string => chain.id.slice(0, chain.id.indexOf('.'));

/** Twice is once. */
async function ignoringUnknownSite(removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-LIFECYCLE-UNKNOWN')) throw error;
  }
}

async function createUnits(
  ports: ActionPorts,
  site: string,
  units: readonly PlannedUnit[],
  call: FabricCall,
  tell: Tell,
): Promise<void> {
  const driver = await ports.driver(site);
  const specs = units.map((unit) => unit.spec);
  const outcomes: readonly UnitOutcome[] =
    specs.length === 1
      ? [{ ok: true, status: await driver.ensureUnit(specs[0]!, call, tell) }]
      : await driver.ensureUnits(specs, call, tell);
  const running = outcomes.flatMap((outcome, i) => (outcome.ok ? [{ unit: units[i]!, status: outcome.status }] : []));
  await ports.units.put(running);
  const failed = outcomes.flatMap((outcome, i) => (outcome.ok ? [] : [{ unit: units[i]!, error: outcome.error }]));
  const first = failed[0];
  if (first === undefined) return;
  throw new SuperfluidityError('SF-SITE-UNIT-FAILED', {
    doing: `create ${units.length} units at ${site}`,
    reason: `${failed.length} of them failed, first ${first.unit.spec.path}#${first.unit.spec.index}`,
    data: { failed: failed.slice(0, 20).map(({ unit, error }) => ({ unit: unit.spec.id, error: reportError(error) })) },
    cause: first.error,
  });
}

type Known = Pick<ActionPorts, 'driver'> & { readonly units: Pick<UnitRecords, 'get'> };

/** Records as they will be when ports that are others now are learned. */
function knowing({ driver, units }: ActionPorts, learned: LearnedPorts = {}): Known {
  const get: UnitRecords['get'] = async (ids) =>
    new Map(
      [...(await units.get(ids))].map(([id, record]) => {
        const ports = learned[id];
        return [id, ports === undefined ? record : { ...record, ports }];
      }),
    );
  return { driver, units: { get } };
}

/** Looks up the addresses and SIDs of the hops and renders the chain for the sites. */
async function renderPlanned(ports: Known, chain: PlannedChain): Promise<readonly SitePath[]> {
  const records = await ports.units.get(chain.hops.map((hop) => hop.unitId));
  const routers = new Map<string, string>();
  for (const site of new Set(chain.hops.map((hop) => hop.site))) {
    routers.set(site, (await (await ports.driver(site)).fingerprint()).routerSid);
  }
  const portOf = (unitId: string, portId: string): PortStatus => {
    const port = records.get(unitId)?.ports.find((each) => each.id === portId);
    if (port !== undefined) return port;
    throw new SuperfluidityError('SF-LIFECYCLE-UNIT-MISSING', {
      doing: `render chain ${chain.name} version ${chain.version}`,
      reason: `port ${portId} is not there`,
    });
  };
  return renderChain({
    chainId: chain.id,
    version: chain.version,
    chain,
    hops: chain.hops.map((hop) => ({
      site: hop.site,
      port: portOf(hop.unitId, hop.port),
      routerSid: routers.get(hop.site)!,
      ...(hop.translates === undefined ? {} : { translates: hop.translates }),
      ...(hop.others === undefined ? {} : { others: hop.others.map(({ port }) => port) }),
    })),
  });
}

/** Members by address. */
async function renderBalancer(ports: Known, planned: PlannedBalancer): Promise<BalancerSpec> {
  const { members, pools, ...rest } = planned;
  const all = [...members, ...(pools ?? []).flatMap((pool) => pool.members)];
  const records = await ports.units.get(all.map(({ unitId }) => unitId));
  const found = (planned: readonly PlannedMember[]): readonly BalancerMember[] =>
    planned.flatMap(({ unitId, ...member }) => {
      const record = records.get(unitId);
      const address = record?.ports[0]?.address;
      return address === undefined ? [] : [{ ...member, address, draining: record!.state === 'draining' }];
    });
  return {
    ...rest,
    members: found(members),
    ...(pools === undefined ? {} : { pools: pools.map(({ name, members }) => ({ name, members: found(members) })) }),
  };
}

async function ignoringUnknown(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isSuperfluidityError(error, 'SF-SITE-UNIT-UNKNOWN')) throw error;
  }
}
