import { type CallInput, type ServiceDetail, type UnitGroup, listShapes, pageOf } from '@superfluidity/api';
import type { Handlers } from '../handlers.ts';
import { anomaliesOf } from '../anomalies.ts';
import { accepted, digestOf, type Look } from '../look.ts';
import { networksIn } from '../networks.ts';
import { overlayOf } from '../overlay.ts';
import { proofOfSource, updatePlan } from '../plan.ts';
import { proofOf, waysOf } from '../proof.ts';
import { Refusal } from '../refusal.ts';
import type { Scenario } from '../scenario.ts';
import { SENTINELS } from '../sentinels.ts';
import type { World } from '../world.ts';

/** Services, and what is done with them. */
export function serviceHandlers(
  world: World,
  { site, service, idle, descriptor, textOfSource }: Look,
  scenario: Scenario,
): Pick<
  Handlers,
  | 'listServices'
  | 'getService'
  | 'getServiceOverlay'
  | 'verifyService'
  | 'findWays'
  | 'getAnomalies'
  | 'getSamples'
  | 'deployService'
  | 'moveService'
  | 'planUpdate'
  | 'updateService'
  | 'scaleService'
  | 'healService'
  | 'terminateService'
> {
  const saved = (source: string, name: string) => {
    const now = Date.now();
    const entry = {
      id: `desc-${digestOf(`${name}${source}`)}`,
      name,
      version: `1.0.0+${digestOf(source)}`,
      format: 'native',
      onboardingState: 'ONBOARDED' as const,
      operationalState: 'ENABLED' as const,
      usageState: 'IN_USE' as const,
      createdAt: now,
      source,
    };
    world.descriptors.set(entry.id, entry);
    return entry;
  };
  return {
    listServices: ({ query }) => pageOf([...world.services.values()], query as never, listShapes.services),
    getService: ({ params, query }) => counted(service(params['name']), query['units']),
    getServiceOverlay: ({ params }) => overlayOf(service(params['name'])),
    verifyService: ({ params, query }) => {
      const one = service(params['name']);
      if (one.chains.length === 0)
        throw new Refusal(409, 'SF-LIFECYCLE-STATE', 'its descriptor has no policies', 'Write some under `policies:`.');
      const realised = (query['realised'] as string | undefined) === 'true';
      return proofOf(world.violated.has(one.name) ? 'violated' : 'holds', realised ? 'realised' : 'intended');
    },
    findWays: ({ params, query }) => {
      const one = service(params['name']);
      const { from, packet, realised } = query as unknown as CallInput<'findWays'>['query'] & { from: string };
      if (packet !== undefined && !/^[a-z0-9 .&|!()/]+$/.test(packet)) {
        const hint = 'Places are functions, units and networks of the service, packets a filter of tcpdump.';
        throw new Refusal(400, 'SF-LIFECYCLE-WAYS', `unexpected '${packet.slice(0, 20)}'`, hint);
      }
      const known = one.functions.flatMap(({ name, units }) => [name, ...units.map(({ path }) => path)]);
      if (![...known, ...(one.networks ?? []).map(({ name }) => name)].includes(from))
        throw new Refusal(400, 'SF-LIFECYCLE-WAYS', `the service has no '${from}'`, `There are ${known.join(', ')}.`);
      return waysOf(from, realised === 'true' ? 'realised' : 'intended');
    },
    getAnomalies: ({ params }) => anomaliesOf(service(params['name']).name),
    getSamples: ({ params, query }) => (world.samples.get(params['name']!) ?? []).slice(-Number(query['limit'])),
    deployService: ({ body }) => {
      const source = textOfSource(body['source']);
      const name: string = body['name'] ?? /name: *([\w-]+)/.exec(source)?.[1] ?? 'mobile-edge';
      if (world.services.has(name))
        throw new Refusal(409, 'SF-LIFECYCLE-NAME-TAKEN', `there is a service '${name}'`, 'Deploy under another name.');
      const asked = (body['source'] as { descriptor?: string } | undefined)?.descriptor;
      return accepted(scenario.deploy(name, asked === undefined ? undefined : descriptor(asked).id));
    },
    moveService: ({ params, body }) => {
      site(body['to']);
      return accepted(scenario.move(idle(params['name']), body['what']!, body['to']!, body['host']));
    },
    planUpdate: ({ params, body }) => updatePlan(service(params['name']), textOfSource(body['source'])),
    updateService: ({ params, body }) => {
      const one = idle(params['name']);
      const after = body['after'] as string | undefined;
      if (after !== undefined && after !== one.descriptorId) {
        const reason = `${one.name} is made from ${one.descriptorId} by now`;
        throw new Refusal(409, 'SF-LIFECYCLE-CHANGED', reason, 'Look at the service as it is now.');
      }
      const source = textOfSource(body['source']);
      if (proofOfSource(source).answer === 'violated')
        throw new Refusal(409, 'SF-LIFECYCLE-POLICY', "policy 'apart' would be violated", 'Nothing was changed.');
      networksIn(source);
      return accepted(scenario.update(one, saved(source, one.name).id));
    },
    scaleService: ({ params, body }) => {
      if (body['count'] === SENTINELS.refusedCount) {
        throw new Refusal(
          409,
          'SF-PLACE-NO-CANDIDATE',
          `no host has room for ${body['unit']}#37: 0.5 cores wanted, 0.2 left`,
          'Lower the count, or add a host: `superfluidity site show core`.',
        );
      }
      return accepted(scenario.scale(idle(params['name']), body['unit']!, body['count']!));
    },
    healService: ({ params }) => accepted(scenario.heal(idle(params['name']))),
    terminateService: ({ params }) => accepted(scenario.terminate(idle(params['name']))),
  };
}

/** With too many units, those of each path on each host are counted, and hops of chains told one by one. */
function counted(service: ServiceDetail, unitsMax = Number.POSITIVE_INFINITY): ServiceDetail {
  if (service.units.length <= unitsMax) return service;
  const groups = new Map<string, UnitGroup & { one: ServiceDetail['units'][number] }>();
  for (const one of service.units) {
    const { path, environment, site, host, state } = one;
    const key = `${site}/${host} ${path}`;
    const group = groups.get(key) ?? { path, environment, site, host, count: 0, byState: {}, one };
    group.count += 1;
    group.byState[state] = (group.byState[state] ?? 0) + 1;
    groups.set(key, group);
  }
  const hops = new Set(service.chains.flatMap((chain) => chain.hops.map((hop) => hop.unit)));
  const alone = new Set([...groups.values()].flatMap(({ count, one }) => (count === 1 ? [one.id] : [])));
  return {
    ...service,
    units: service.units.filter(({ id, path, index }) => hops.has(id) || hops.has(`${path}#${index}`) || alone.has(id)),
    groups: [...groups.values()].map(({ one: _one, ...group }) => group),
  };
}
