import {
  type CallInput,
  type CallReply,
  type CharacterisationReport,
  type CharacterisationSummary,
  type Event,
  type ListedHost,
  type ListedUnit,
  listShapes,
  type Me,
  type OperationDetail,
  pageOf,
  type RouteName,
  type ServiceDetail,
  type SiteDeclaration,
  type SiteLink,
  type Unit,
  type UnitGroup,
} from '@superfluidity/api';
import { LOOK_MS, pastOf, pastUsageOf, usageOf } from './metrics.ts';
import { accessHandlers } from './access.ts';
import { overlayOf } from './overlay.ts';
import { anomaliesOf } from './anomalies.ts';
import { listedNetworks, networksIn } from './networks.ts';
import { planOf, proofOfSource, textOf, updatePlan } from './plan.ts';
import { proofOf, waysOf } from './proof.ts';
import { found, Refusal } from './refusal.ts';
import { scalingHandlers } from './scaling.ts';
import { secretHandlers } from './secrets.ts';
import { type Scenario, SENTINELS } from './scenario.ts';
import { makeSite, setLink, tell, type World } from './world.ts';

export interface Input {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, never>>;
  readonly body: Readonly<Record<string, never>>;
  readonly principal: Me;
  /** Gives the browser its cookie, or an empty one. */
  readonly keepSession: (secret: string) => void;
}

/** As of a site, whose answers are bounded too. */
const LINES_PER_READ = 10_000;

/** Every route that answers at once; the streams are below. */
type Streams = 'followEvents' | 'followSamples';
export type Handlers = { readonly [N in Exclude<RouteName, Streams>]: (input: Input) => CallReply<N> };

export function handlers(world: World, scenario: Scenario): Handlers {
  const site = (name: string | undefined) =>
    found(
      world.sites.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no site ${name}`,
      'List them: `superfluidity site list`.',
    );
  const pool = (name: string | undefined, of: string | undefined) =>
    found(
      site(name).pools.find((one) => one.name === of),
      'SF-LIFECYCLE-UNKNOWN',
      `site ${name} has no pool '${of}'`,
      'List them: `superfluidity pool list`.',
    );
  const characterisation = (name: string | undefined) => {
    sentinel(name);
    return found(
      world.characterisations.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no characterisation ${name}`,
      'Publish one with `superfluidity characterise publish`.',
    );
  };
  const service = (name: string | undefined): ServiceDetail => {
    sentinel(name);
    return found(
      world.services.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no service ${name}`,
      'List them with `superfluidity service list`.',
    );
  };
  const idle = (name: string | undefined): ServiceDetail => {
    const one = service(name);
    if (one.busy !== undefined) {
      throw new Refusal(
        409,
        'SF-LIFECYCLE-BUSY',
        `${one.name} is being changed by ${one.busy}`,
        'Wait for it, or cancel it.',
      );
    }
    return one;
  };
  const operation = (id: string | undefined): OperationDetail =>
    found(world.operations.get(id ?? ''), 'SF-LIFECYCLE-UNKNOWN', `there is no operation ${id}`);
  const waiting = (id: string | undefined): OperationDetail => {
    const one = operation(id);
    if (one.state !== 'FAILED_TEMP') throw new Refusal(409, 'SF-LIFECYCLE-STATE', `the operation is ${one.state}`);
    return one;
  };
  const accepted = (started: OperationDetail) => ({ operation: started.id, service: started.service });
  const newestOf = (name: string | undefined) =>
    [...world.descriptors.values()].filter((one) => one.name === name).toSorted((a, b) => b.createdAt - a.createdAt)[0];
  const descriptor = (id: string | undefined) =>
    found(world.descriptors.get(id ?? '') ?? newestOf(id), 'SF-LIFECYCLE-UNKNOWN', `there is no descriptor ${id}`);
  const units = (): ListedUnit[] =>
    [...world.services.values()].flatMap((one) =>
      one.units.map(({ ports: _ports, telemetry: _telemetry, ...unit }) => ({
        ...unit,
        service: one.name,
        updatedAt: one.createdAt,
      })),
    );
  const hosts = (): ListedHost[] => {
    const counts = Map.groupBy(units(), (unit) => `${unit.site}/${unit.host}`);
    return [...world.sites.values()].flatMap((one) =>
      one.hosts.map((host) => ({
        ...host,
        site: one.name,
        unitCount: counts.get(`${one.name}/${host.name}`)?.length ?? 0,
      })),
    );
  };
  const textOfSource = (source: unknown) => textOf(source as never, (id) => descriptor(id).source);
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
  const used = (id: string) => [...world.services.values()].some((one) => one.descriptorId === id);

  return {
    getHealth: () => ({ status: 'ok' }),
    getSystem: () => world.system,
    ...accessHandlers(world),
    ...secretHandlers(world),
    listSites: ({ query }) => pageOf([...world.sites.values()], query as never, listShapes.sites),
    addSite: ({ body }) => {
      const declared = body as unknown as SiteDeclaration;
      if (declared.kind === 'openstack')
        throw new Refusal(
          409,
          'SF-LIFECYCLE-SITE-UNUSABLE',
          'credentials (no clouds.yaml was found)',
          'Write clouds.yaml.',
        );
      const made = {
        ...makeSite(declared.name, declared.tier ?? 'edge', [
          { name: 'h1', cpu: 8, memoryMiB: 16_384, environments: ['container', 'vm'] },
        ]),
        ...declared,
      };
      world.sites.set(made.name, made);
      tell(world, { kind: 'site', subject: made.name, severity: 'info', message: `site ${made.name} added`, body: {} });
      return made;
    },
    removeSite: ({ params }) => {
      const one = site(params['name']);
      if (one.unitCount > 0)
        throw new Refusal(
          409,
          'SF-LIFECYCLE-IN-USE',
          `${one.unitCount} units run there`,
          'Move or terminate them first.',
        );
      world.sites.delete(one.name);
      tell(world, { kind: 'site', subject: one.name, severity: 'info', message: `site ${one.name} removed`, body: {} });
      return null;
    },
    purgeSite: ({ params }) => ({ removed: [`everything of ${site(params['name']).name}`] }),
    listHosts: ({ query }) => pageOf(hosts(), query as never, listShapes.hosts),
    getHostLoad: () =>
      [...world.sites.values()].map((one) => ({
        site: one.name,
        hosts: one.hosts.map((host) => host.name),
        cpu: one.hosts.map((host) => (host.schedulable ? percent(host.used.cpu, host.cpu) : -1)),
        memory: one.hosts.map((host) => percent(host.used.memoryMiB, host.memoryMiB)),
        ...(one.hosts.some(({ rack }) => rack !== undefined)
          ? { racks: one.hosts.map(({ rack = '' }) => rack), rackUnits: one.hosts.map(({ rackUnit = 0 }) => rackUnit) }
          : {}),
      })),
    getPool: ({ params }) => pool(params['name'], params['pool']),
    populatePool: ({ params, body }) => {
      const one = pool(params['name'], params['pool']);
      one.ready = Math.min(one.maximum ?? Number.POSITIVE_INFINITY, one.ready + Number(body.count));
      return one;
    },
    freePool: ({ params }) => Object.assign(pool(params['name'], params['pool']), { ready: 0, paused: true }),
    freePools: ({ params }) => site(params['name']).pools.map((one) => Object.assign(one, { ready: 0, paused: true })),
    listPools: ({ query }) => {
      const all = [...world.sites.values()].flatMap((one) =>
        one.pools.map((pool) => ({ ...pool, site: one.name, past: pastOf(pool, Date.now()) })),
      );
      return pageOf(all, query as never, listShapes.pools);
    },
    listNetworks: ({ query }) => pageOf(listedNetworks(world), query as never, listShapes.networks),
    runWorkflow: () => {
      throw new Refusal(422, 'SF-SITE-NO-WORKFLOWS', 'the site runs no workflows', 'See which sites do.');
    },
    changeLink: ({ body }) => {
      const { link, before } = body as unknown as { link: SiteLink; before?: SiteLink | null };
      const subject = [link.a, link.b].toSorted().join();
      const now = world.links.find(({ a, b }) => [a, b].toSorted().join() === subject);
      if (
        before !== undefined &&
        (before?.latencyMs !== now?.latencyMs || before?.bandwidthMbps !== now?.bandwidthMbps)
      )
        throw new Refusal(409, 'SF-LIFECYCLE-CHANGED', 'the link is another by now', 'Look at it and change it again.');
      return accepted(scenario.link(link));
    },
    setLink: ({ body }) => {
      const link = body as unknown as SiteLink;
      setLink(world, link);
      return link;
    },
    listDescriptors: ({ query }) => pageOf([...world.descriptors.values()], query as never, listShapes.descriptors),
    addDescriptor: ({ body, query }) => {
      const source = textOfSource(body);
      const name = /name: *([\w-]+)/.exec(source)?.[1];
      if (name === undefined) {
        const hint = 'Compare with docs/reference/native.md, or let `superfluidity check --fix` try.';
        throw new Refusal(400, 'SF-LIFECYCLE-DESCRIPTOR', 'nothing that can be deployed at 1:1', hint);
      }
      const version = `${/version: *"?([\w.]+)/.exec(source)?.[1] ?? '1.0'}+${digestOf(source)}`;
      const known = [...world.descriptors.values()].find((one) => one.name === name && one.version === version);
      if (known !== undefined) return known;
      const newest = newestOf(name);
      const after: string | undefined = query['after'];
      if (after !== undefined && after !== (newest?.id ?? 'none'))
        throw new Refusal(
          409,
          'SF-LIFECYCLE-CHANGED',
          `save a version of ${name}: the newest is ${newest?.version} (${newest?.id})`,
          'Take over what the newest version changed, and save after it.',
        );
      const id = `desc-0mkn${world.descriptors.size}`;
      const states = { onboardingState: 'ONBOARDED', operationalState: 'ENABLED', usageState: 'NOT_IN_USE' } as const;
      const createdAt = Math.max(Date.now(), (newest?.createdAt ?? 0) + 1);
      const made = { id, name, version, format: 'native', ...states, createdAt, source };
      world.descriptors.set(id, made);
      tell(world, {
        kind: 'descriptor',
        subject: id,
        severity: 'info',
        message: `descriptor ${name} onboarded`,
        body: {},
      });
      return made;
    },
    getDescriptor: ({ params }) => descriptor(params['id']),
    setDescriptorState: ({ params, body }) => {
      const one = { ...descriptor(params['id']), operationalState: body['operationalState']! as 'ENABLED' };
      world.descriptors.set(one.id, one);
      return one;
    },
    removeDescriptor: ({ params }) => {
      const one = descriptor(params['id']);
      if (one.operationalState === 'ENABLED' || used(one.id))
        throw new Refusal(
          409,
          'SF-LIFECYCLE-IN-USE',
          used(one.id) ? 'a service was made from it' : 'it is enabled',
          'Disable it first.',
        );
      world.descriptors.delete(one.id);
      return null;
    },
    checkService: ({ body }) => {
      const source = textOfSource(body);
      return { ok: true, name: /name: *([\w-]+)/.exec(source)?.[1] ?? 'service', format: 'native', problems: [] };
    },
    readInputs: ({ body }) => {
      const properties = textOfSource(body).includes('heat_template_version') ? TEMPLATE_INPUTS : {};
      return {
        schema: { type: 'object', properties, required: Object.keys(properties).slice(0, 2) },
        count: Object.keys(properties).length,
      };
    },
    planService: ({ body }) => {
      const source = textOfSource(body['source']);
      if (source.includes(SENTINELS.unplaceable)) {
        throw new Refusal(
          409,
          'SF-PLACE-NO-CANDIDATE',
          'video/server#0 fits nowhere: edge: tier is edge, wanted moon; core: tier is core, wanted moon',
          'Change the requirements, or add a site: `superfluidity site add`.',
        );
      }
      checkInputs(source, body['inputs']);
      const name: string | undefined = body['name'];
      return planOf(name ?? /name: *([\w-]+)/.exec(source)?.[1] ?? 'service', proofOfSource(source));
    },
    getSite: ({ params }) => site(params['name']),
    describeSite: () => ({ tables: [] }),
    listStorage: ({ query }) => {
      const all = [...world.sites.values()].flatMap((one) =>
        (one.storage ?? []).map((tier) => ({ ...tier, site: one.name })),
      );
      return pageOf(all, query as never, listShapes.storage);
    },
    listLinks: () => world.links,
    listServices: ({ query }) => pageOf([...world.services.values()], query as never, listShapes.services),
    listUnits: ({ query }) => pageOf(units(), query as never, listShapes.units),
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
    getServiceOverlay: ({ params }) => overlayOf(service(params['name'])),
    getService: ({ params, query }) => counted(service(params['name']), query['units']),
    deployService: ({ body }) => {
      const source = textOfSource(body['source']);
      const name: string = body['name'] ?? /name: *([\w-]+)/.exec(source)?.[1] ?? 'mobile-edge';
      if (world.services.has(name))
        throw new Refusal(409, 'SF-LIFECYCLE-NAME-TAKEN', `there is a service '${name}'`, 'Deploy under another name.');
      const asked = (body['source'] as { descriptor?: string } | undefined)?.descriptor;
      return accepted(scenario.deploy(name, asked === undefined ? undefined : descriptor(asked).id));
    },
    getAnomalies: ({ params }) => anomaliesOf(service(params['name']).name),
    ...scalingHandlers(
      world,
      service,
      (reason) => new Refusal(409, 'SF-LIFECYCLE-STATE', reason, 'See `superfluidity service scaling show NAME`.'),
    ),
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
    readUnitOutput: ({ params, query }) => {
      const lines = world.output.get(params['unit']!) ?? [
        'ready',
        'listening on 0.0.0.0:8000',
        'GET /segment-1.ts 200',
      ];
      const from = Number(query['offset']);
      const next = Math.min(lines.length, from + LINES_PER_READ);
      return { lines: lines.slice(from, next), next };
    },
    listCharacterisations: ({ query }) =>
      pageOf([...world.characterisations.values()].map(summaryOf), query as never, listShapes.characterisations),
    getCharacterisation: ({ params }) => characterisation(params['name']),
    putCharacterisation: ({ params, body }) => {
      const made = { ...(body as unknown as CharacterisationReport), name: params['name']!, updatedAt: Date.now() };
      world.characterisations.set(made.name, made);
      return summaryOf(made);
    },
    removeCharacterisation: ({ params }) => {
      world.characterisations.delete(characterisation(params['name']).name);
      return null;
    },
    readUnitMetrics: ({ params, query }) => {
      const names = query['unit'] as readonly string[] | undefined;
      const named = (unit: Unit) =>
        names === undefined || names.some((name) => [unit.id, `${unit.path}#${unit.index}`, unit.path].includes(name));
      const chosen = service(params['name']).units.filter(named);
      return chosen.slice(0, Number(query['limit'])).map((unit) => usageOf(unit, Date.now()));
    },
    getUnitUsage: ({ params }) => {
      const one = found(
        service(params['name']).units.find(({ id }) => id === params['unit']),
        'SF-SITE-UNIT-UNKNOWN',
        `there is no unit ${params['unit']}`,
      );
      return { unit: one.id, everyMs: LOOK_MS, readings: pastUsageOf(one, Date.now()) };
    },
    getTerminal: ({ params, principal }) => {
      const { id, kind, reason } = terminalView(world, params['name']!, params['unit']!);
      const why = reason ?? (principal.role === 'admin' ? undefined : `${principal.name} may only read`);
      if (why !== undefined) return { unit: id, possible: false, reason: why };
      return { unit: id, possible: true, kind, resizes: kind !== 'serial', commands: kind !== 'serial' };
    },
    getSamples: ({ params, query }) => (world.samples.get(params['name']!) ?? []).slice(-Number(query['limit'])),
    listOperations: ({ query }) => pageOf([...world.operations.values()], query as never, listShapes.operations),
    getOperation: ({ params }) => operation(params['id']),
    retryOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.retry(one.id)),
    rollbackOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.rollback(one.id)),
    continueOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.continue(one.id)),
    failOperation: ({ params }) => after(waiting(params['id']), (one) => scenario.fail(one.id)),
    cancelOperation: ({ params }) => after(operation(params['id']), (one) => scenario.cancel(one.id)),
    listEvents: ({ query }) => {
      const {
        afterId,
        since = 0,
        until = Infinity,
      } = query as unknown as {
        afterId: number;
        since?: number;
        until?: number;
      };
      const inTime = (event: Event) => event.id > afterId && event.at >= since && event.at <= until;
      return pageOf(world.events.filter(inTime), query as never, listShapes.events);
    },
  };
}

/** One rule of many, refused as the control plane does. */
function checkInputs(source: string, inputs: Readonly<Record<string, unknown>> | undefined): void {
  if (!source.includes('heat_template_version') || inputs === undefined || Number(inputs['port'] ?? 8_080) !== 6_666)
    return;
  throw new Refusal(422, 'SF-LIFECYCLE-DESCRIPTOR', "read web-stack.yaml: input 'port' must be otherwise", 'See data.');
}

/** Of every Heat template, as far as the mock reads one. */
const TEMPLATE_INPUTS = {
  flavor: { type: 'string', enum: ['m1.small', 'm1.large'], description: 'Size of the servers' },
  password: { type: 'string', writeOnly: true, pattern: '^secret:[a-z0-9-]+$', description: 'Of the database' },
  port: {
    type: 'number',
    minimum: 1024,
    maximum: 65_535,
    default: 8080,
    description: 'On which the web server listens',
  },
} as const;

const summaryOf = (one: CallReply<'getCharacterisation'>): CharacterisationSummary => {
  const { name, service, experiments, samples, accuracy, updatedAt } = one;
  return { name, service, experiments, samples, accuracy, updatedAt };
};

/** Of a text: eight hexadecimal digits (FNV-1a). */
function digestOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

const percent = (part: number, all: number) => (all > 0 ? Math.round((part / all) * 1_000) / 10 : 0);

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

/** Names that are answered as a control plane in trouble answers. */
function sentinel(name: string | undefined): void {
  if (name === SENTINELS.failingName)
    throw new Refusal(
      500,
      'SF-CORE-UNEXPECTED',
      'something failed that was not foreseen',
      'Look into the log of the server.',
    );
  if (name === SENTINELS.forbiddenName)
    throw new Refusal(403, 'SF-ACCESS-FORBIDDEN', 'the token may not see it', 'Use a token with the role admin.');
}

function after<T>(value: T, act: (value: T) => void): T {
  act(value);
  return value;
}

/** Subscribes to a stream, and returns what ends it. */
export function streams(
  world: World,
  name: RouteName,
  input: Input,
  lastId: number | undefined,
  send: (value: unknown, id?: number) => void,
): () => void {
  if (name === 'followEvents') {
    const asked: number | undefined = input.query['after'];
    const since = lastId ?? asked;
    if (since !== undefined) for (const event of world.events) if (event.id > since) send(event, event.id);
    const listener = (event: World['events'][number]) => send(event, event.id);
    world.eventListeners.add(listener);
    return () => world.eventListeners.delete(listener);
  }
  const listener = (service: string, batch: unknown[]) => {
    if (service === input.params['name']) send(batch);
  };
  world.sampleListeners.add(listener);
  return () => world.sampleListeners.delete(listener);
}

export interface TerminalView {
  readonly id: string;
  readonly name: string;
  readonly kind: 'program' | 'serial';
  /** Why there is none. */
  readonly reason?: string;
}

/** What a terminal of a unit would be. */
export function terminalView(world: World, service: string, name: string): TerminalView {
  const units = world.services.get(service)?.units ?? [];
  const unit = units.find((one) => one.id === name || `${one.path}#${one.index}` === name);
  if (unit === undefined) throw new Refusal(404, 'SF-SITE-UNIT-UNKNOWN', `there is no unit ${name}`);
  const view = {
    id: unit.id,
    name: unit.path.replace('/', '-'),
    kind: unit.environment === 'vm' ? ('serial' as const) : ('program' as const),
  };
  if (unit.environment === 'nft') {
    return { ...view, reason: 'a packet function is a set of rules in the kernel: no program runs there' };
  }
  return unit.state === 'running' ? view : { ...view, reason: `the unit is ${unit.state}` };
}
