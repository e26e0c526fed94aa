import type { Handlers, Routes } from '@superfluidity/api';
import { checkInputs, inputSchema } from '@superfluidity/dialects';
import type { z } from 'zod';
import type { ResolvedDescriptor } from './catalogue.ts';
import { poolView } from './pool-view.ts';
import type { Lifecycle } from './lifecycle.ts';
import { changeLink } from './change-link.ts';
import { isForControlPlane, playbookDefaults, playbookOf } from './playbooks.ts';
import { runWorkflow } from './run-workflow.ts';
import { type DeployWay, wayOf } from './stacks.ts';
import { chosenUnits, readUnitMetrics } from './unit-metrics.ts';

type Deployment = z.output<Routes['deployService']['body']>;

type Names =
  | 'listSites'
  | 'listHosts'
  | 'getHostLoad'
  | 'listStorage'
  | 'listPools'
  | 'getPool'
  | 'populatePool'
  | 'freePool'
  | 'freePools'
  | 'listNetworks'
  | 'listUnits'
  | 'addSite'
  | 'getSite'
  | 'describeSite'
  | 'dumpSite'
  | 'removeSite'
  | 'purgeSite'
  | 'listRacks'
  | 'listLinks'
  | 'setLink'
  | 'listDescriptors'
  | 'addDescriptor'
  | 'getDescriptor'
  | 'setDescriptorState'
  | 'removeDescriptor'
  | 'checkService'
  | 'readInputs'
  | 'planService'
  | 'deployService'
  | 'listPlaybooks'
  | 'getInventory'
  | 'runPlaybook'
  | 'listServices'
  | 'getService'
  | 'getServiceOverlay'
  | 'verifyService'
  | 'findWays'
  | 'planAdoption'
  | 'adoptStack'
  | 'planUpdate'
  | 'updateService'
  | 'changeLink'
  | 'runWorkflow'
  | 'scaleService'
  | 'listScaling'
  | 'setScaling'
  | 'stopScaling'
  | 'listScalingDecisions'
  | 'moveService'
  | 'healService'
  | 'terminateService'
  | 'readUnitOutput'
  | 'readUnitMetrics'
  | 'getUnitUsage'
  | 'listCharacterisations'
  | 'getCharacterisation'
  | 'putCharacterisation'
  | 'removeCharacterisation'
  | 'listOperations'
  | 'getOperation'
  | 'retryOperation'
  | 'rollbackOperation'
  | 'continueOperation'
  | 'failOperation'
  | 'cancelOperation';

/** What this room answers to the API. */
export function lifecycleHandlers(lifecycle: Lifecycle): Handlers<Names> {
  const { sites, catalogue, services, operations, lists, findUnit, scaling, decisions, characterisations, watcher } =
    lifecycle;
  const { adoptions, playbooks } = lifecycle;

  /** With the playbook that was asked for, or that the template asks for. */
  function deployWayOf({ declared: read }: ResolvedDescriptor, body: Deployment): DeployWay {
    const declared = read?.() ?? [];
    const { values } = checkInputs(declared, body.inputs ?? {});
    const initial = declared.flatMap(({ name, initial }) =>
      isForControlPlane(name) && initial !== undefined ? [[name, initial] as const] : [],
    );
    // For other inputs an empty text is one that was left alone.
    const emptied = Object.entries(body.inputs ?? {}).filter(
      ([name, value]) => isForControlPlane(name) && value === '',
    );
    const inputs = { ...Object.fromEntries([...initial, ...emptied]), ...values };
    const playbook = playbookOf(body.playbook, inputs);
    const playbooks = playbookDefaults(playbook, inputs);
    return { ...wayOf(body), playbooks, ...(playbook === undefined ? {} : { playbook }) };
  }
  return {
    listSites: ({ query }) => lists.sites(query),
    listHosts: ({ query }) => lists.hosts(query),
    getHostLoad: () => lists.hostLoad(),
    listNetworks: ({ query }) => lists.networks(query),
    listPools: ({ query }) => lists.pools(query),
    getPool: async ({ params }) => poolView(await sites.pool(params.name, params.pool)),
    populatePool: async ({ params, body }) => poolView(await sites.populatePool(params.name, params.pool, body.count)),
    freePool: async ({ params }) => poolView((await sites.freePools(params.name, params.pool))[0]!),
    freePools: async ({ params }) => (await sites.freePools(params.name, undefined)).map(poolView),
    listStorage: ({ query }) => lists.storage(query),
    addSite: ({ body }) => sites.add(body),
    getSite: ({ params }) => sites.show(params.name),
    describeSite: async ({ params }) => {
      const { tables } = await sites.describe(params.name);
      return {
        tables: tables.map(({ title, columns, rows, note }) => ({
          title,
          columns: [...columns],
          rows: rows.map((row) => [...row]),
          ...(note === undefined ? {} : { note }),
        })),
      };
    },
    dumpSite: async ({ params }) => {
      const { intent, realised } = await sites.dump(params.name);
      return { intent: [...intent], realised: [...realised] };
    },
    removeSite: async ({ params }) => {
      await sites.remove(params.name);
      return null;
    },
    purgeSite: async ({ params }) => ({ removed: [...(await sites.purge(params.name))] }),
    listRacks: ({ query }) => lists.racks(query),
    listLinks: ({ query }) => lists.links(query),
    setLink: ({ body }) => sites.setLink(body),

    listDescriptors: ({ query }) => lists.descriptors(query),
    addDescriptor: async ({ body, query }) => catalogue.onboard(await catalogue.resolve(body), query.after),
    getDescriptor: ({ params }) => catalogue.show(params.id),
    setDescriptorState: ({ params, body }) => catalogue.setState(params.id, body.operationalState),
    removeDescriptor: async ({ params }) => {
      await catalogue.remove(params.id);
      return null;
    },

    checkService: ({ body }) => catalogue.check(body),
    readInputs: async ({ body }) => {
      const inputs = await catalogue.inputs(body);
      return { schema: { ...inputSchema(inputs) }, count: inputs.length };
    },
    planService: async ({ body }) => {
      const descriptor = await catalogue.resolve(body.source, body.inputs);
      return services.plan(descriptor, body.name, deployWayOf(descriptor, body));
    },
    deployService: async ({ body }) => {
      const descriptor = await catalogue.resolve(body.source, body.inputs);
      return services.deploy(descriptor, body.name, deployWayOf(descriptor, body));
    },
    listPlaybooks: async () => [...(await playbooks.list())],
    getInventory: async ({ params }) => ({ ...(await playbooks.inventory(params.name)) }),
    runPlaybook: ({ params, body }) => playbooks.run(params.name, body),
    listServices: ({ query }) => lists.services(query),
    listUnits: ({ query }) => lists.units(query),
    getService: ({ params, query }) => services.show(params.name, query.units),
    getServiceOverlay: ({ params }) => services.overlay(params.name),
    verifyService: ({ params, query }) => services.verify(params.name, query.realised === 'true'),
    findWays: ({ params, query: { from, to, packet, realised } }) =>
      services.ways(
        params.name,
        { from, ...(to === undefined ? {} : { to }), ...(packet === undefined ? {} : { packet }) },
        realised === 'true',
      ),
    planUpdate: async ({ params, body }) =>
      services.planUpdate(params.name, await catalogue.resolve(body.source), wayOf(body)),
    updateService: async ({ params, body: { source, after, digest, ...way } }) => {
      const known = { ...(after === undefined ? {} : { after }), ...(digest === undefined ? {} : { digest }) };
      return services.update(params.name, await catalogue.resolve(source), known, wayOf(way));
    },
    planAdoption: ({ body }) => adoptions.plan(body),
    adoptStack: ({ body }) => adoptions.adopt(body),
    runWorkflow: ({ body }) => runWorkflow({ sites, operations }, body),
    changeLink: ({ body }) => changeLink({ sites, operations }, body.link, body.before),
    scaleService: ({ params, body }) => services.scale(params.name, body.unit, body.count),
    listScaling: ({ params }) => scaling.show(params.name),
    setScaling: ({ params, body }) => scaling.set(params.name, body.unit, body.policy),
    stopScaling: ({ params, query }) => scaling.stop(params.name, query.unit),
    listScalingDecisions: ({ query }) => decisions.list(query),
    moveService: ({ params, body }) => services.move(params.name, body.what, body.to, body.host),
    healService: ({ params, body }) => services.heal(params.name, body.unit),
    terminateService: ({ params }) => services.terminate(params.name),
    readUnitOutput: async ({ params, query }) => {
      const unit = await findUnit(params.name, params.unit);
      const { lines, next } = await (await sites.driver(unit.site)).readOutput(unit.id, query.offset);
      return { lines: [...lines], next };
    },

    readUnitMetrics: async ({ params, query }) => {
      const { units } = await services.show(params.name);
      return [...(await readUnitMetrics(sites, chosenUnits(params.name, units, query.unit).slice(0, query.limit)))];
    },

    getUnitUsage: async ({ params }) => watcher.usageOf((await findUnit(params.name, params.unit)).id),

    listCharacterisations: ({ query }) => lists.characterisations(query),
    getCharacterisation: ({ params }) => characterisations.show(params.name),
    putCharacterisation: ({ params, body }) => characterisations.put(params.name, body),
    removeCharacterisation: async ({ params }) => {
      await characterisations.remove(params.name);
      return null;
    },

    listOperations: ({ query }) => lists.operations(query),
    getOperation: ({ params }) => operations.records.show(params.id),
    retryOperation: ({ params }) => operations.retry(params.id),
    rollbackOperation: ({ params }) => operations.rollback(params.id),
    continueOperation: ({ params }) => operations.continue(params.id),
    failOperation: ({ params }) => operations.fail(params.id),
    cancelOperation: ({ params, body }) => operations.cancel(params.id, body.mode),
  };
}
