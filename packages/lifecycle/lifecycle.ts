import './errors.ts';
import { type Adoptions, createAdoptions } from './adopt.ts';
import { actionRunner } from './actions-run.ts';
import { type Catalogue, createCatalogue } from './catalogue.ts';
import { type Characterisations, createCharacterisations } from './characterisations.ts';
import { createOperations, type Operations } from './operations.ts';
import type { LifecycleOptions } from './options.ts';
import { type Playbooks, runPlaybook, serviceInventory } from './playbooks.ts';
import { Reconciler } from './reconciler.ts';
import { createLists, type Lists } from './lists.ts';
import { serviceConsequences } from './service-consequences.ts';
import { createServices, type Services } from './services.ts';
import { createTerminals, type Terminals } from './terminals.ts';
import { type FindUnit, unitFinder } from './find-unit.ts';
import { createSites, type Sites } from './sites.ts';
import { Autoscaler } from './scaling/autoscaler.ts';
import { ScalingRecords } from './scaling/records.ts';
import { createScaling, type Scaling } from './scaling/scaling.ts';
import { TelemetryCollector } from './telemetry-collector.ts';
import { UsageWatcher } from './usage-watcher.ts';
import { createVerification } from './verification.ts';
import { chainRecords, unitRecords } from './unit-records.ts';

/** The room as a whole: made before the engine is launched, opened after. */
export interface Lifecycle {
  readonly sites: Sites;
  readonly catalogue: Catalogue;
  readonly services: Services;
  readonly adoptions: Adoptions;
  readonly operations: Operations;
  readonly characterisations: Characterisations;
  readonly lists: Lists;
  readonly terminals: Terminals;
  readonly findUnit: FindUnit;
  readonly scaling: Scaling;
  readonly decisions: ScalingRecords;
  readonly autoscaler: Autoscaler;
  readonly watcher: UsageWatcher;
  readonly playbooks: Playbooks;
  /** Finds the sites again. Before the engine is launched: the first thing that it does is to go on with operations. */
  open(): Promise<void>;
  /** Begins to reconcile and to read telemetry. After the engine is launched. */
  start(): void;
  /** Makes ready what the first deployment would else wait for. When there is nothing more urgent to do. */
  warm(): void;
  /** After the engine was shut down: operations that run still need the sites. */
  close(): Promise<void>;
}

export async function createLifecycle(options: LifecycleOptions): Promise<Lifecycle> {
  const units = unitRecords(options.store);
  const chains = chainRecords(options.store);
  const sites = createSites(options);
  const verification = createVerification(() => sites.drivers());
  const catalogue = createCatalogue(options, verification);
  const actions = actionRunner({
    driver: (site) => sites.driver(site),
    units,
    chains,
    playbooks: options.playbooks,
    sites,
    links: sites.linkPorts,
    verify: (service, operation) => services.verifyAfter(service, operation),
    warn: (operation, service, message) =>
      options.events.append({ kind: 'operation', subject: operation, service, severity: 'warning', message, body: {} }),
    sleep: (ms, signal) => options.clock.sleep(ms, signal),
    now: () => options.clock.now(),
  });
  const operations = await createOperations(options, actions, serviceConsequences);
  const decisions = new ScalingRecords(options.store, options.executor, options.limits.scalingDecisions);
  const services = createServices(options, { sites, catalogue, units, operations, verification });
  const findUnit = unitFinder(units, services);
  const scaling = createScaling(options, { catalogue, records: decisions });
  const autoscaler = new Autoscaler(options, { services, operations, records: decisions, scaling });
  const reconciler = new Reconciler(options, { sites, units, services, operations });
  const collector = new TelemetryCollector(options, sites, units);
  const watcher = new UsageWatcher(options, sites, units);
  return {
    sites,
    catalogue,
    services,
    adoptions: createAdoptions(options, { sites, catalogue, operations }),
    operations,
    findUnit,
    terminals: createTerminals(sites, findUnit),
    scaling,
    decisions,
    autoscaler,
    watcher,
    playbooks: {
      list: async () => (await options.playbooks?.list()) ?? [],
      inventory: (service) => serviceInventory(options, service),
      run: (service, run) => runPlaybook(options, operations, service, run),
    },
    characterisations: createCharacterisations(options),
    lists: createLists({ store: options.store, sites, units, watcher }),
    open: () => sites.open(),
    start() {
      reconciler.start();
      collector.start();
      watcher.start();
      autoscaler.start();
    },
    warm: () => verification.warm(),
    async close() {
      await autoscaler.close();
      await reconciler.close();
      await collector.close();
      await watcher.close();
      await operations.close();
      await verification.close();
      await sites.close();
    },
  };
}
