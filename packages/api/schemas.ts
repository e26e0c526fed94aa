import { environments, storageKinds } from '@superfluidity/model';
import { z } from 'zod';
import { progress, stackPreview } from './elsewhere-schemas.ts';
import { errorReport } from './error-schemas.ts';
import { pool } from './pool-schemas.ts';
import { proofAnswer, verificationReport } from './verification-schemas.ts';

export * from './error-schemas.ts';
export * from './playbook-schemas.ts';
export * from './pool-schemas.ts';
export * from './unit-use-schemas.ts';
export * from './verification-schemas.ts';

/** The values that cross the API. All times are milliseconds since the epoch, all sizes carry their unit in the name. */

export const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, at most 63 characters')
  .meta({ description: 'A DNS label (RFC 1035)' });

export const problem = z
  .object({
    severity: z.enum(['error', 'warning']),
    code: z.string(),
    message: z.string(),
    path: z.string(),
    position: z.object({ file: z.string().optional(), line: z.int(), column: z.int() }).optional(),
    suggestion: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export const host = z
  .object({
    name: z.string(),
    environments: z.array(z.enum(environments)),
    accelerators: z.array(z.string()),
    cpu: z.number(),
    memoryMiB: z.number(),
    storageMiB: z.number(),
    used: z.object({ cpu: z.number(), memoryMiB: z.number(), storageMiB: z.number() }),
    schedulable: z.boolean(),
    virtual: z.boolean().exactOptional().meta({ description: 'It is a virtual machine itself' }),
    rack: z.string().exactOptional(),
    rackUnit: z.int().exactOptional().meta({ description: 'From the bottom of the rack, counted from 1' }),
  })
  .meta({ id: 'Host' });

export const storageTier = z
  .object({
    name: z.string(),
    kind: z.enum(storageKinds),
    capacityMiB: z.number(),
    usedMiB: z.number(),
    rack: z.string().exactOptional(),
    host: z.string().exactOptional(),
    uses: z
      .array(z.object({ what: z.string(), mib: z.number() }))
      .meta({ description: 'Who takes how much of it, as far as that is known' }),
  })
  .meta({ id: 'StorageTier' });

/** Storage in the list of the storage of all sites. */
export const listedStorage = storageTier.extend({ site: z.string() }).meta({ id: 'ListedStorage' });

/** A host in the list of all hosts. */
export const listedHost = host
  .extend({ site: z.string(), unitCount: z.int().meta({ description: 'Units of services of this control plane' }) })
  .meta({ id: 'ListedHost' });

/** How loaded every host of a site is, in columns: 100,000 hosts are drawn at once. */
export const hostLoad = z
  .object({
    site: z.string(),
    hosts: z.array(z.string()),
    cpu: z.array(z.number()).meta({ description: 'Percent of the cores that are taken; -1: takes no units' }),
    memory: z.array(z.number()).meta({ description: 'Percent of the memory that is taken' }),
    racks: z.array(z.string()).exactOptional().meta({ description: 'Empty: in none; absent: no host tells one' }),
    rackUnits: z.array(z.int()).exactOptional().meta({ description: 'From the bottom, from 1; 0: not known' }),
  })
  .meta({ id: 'HostLoad' });

const rackServer = z
  .object({
    host: z.string(),
    cpu: z.number().meta({ description: 'Percent of the cores that are taken; -1: takes no units' }),
    memory: z.number().meta({ description: 'Percent of the memory that is taken' }),
    unit: z.int().meta({ description: 'From the bottom, from 1; 0: not known' }),
  })
  .meta({ id: 'RackServer' });

/** A rack in the list of the racks of all sites. */
export const rack = z
  .object({
    site: z.string(),
    name: z.string(),
    servers: z.array(rackServer).meta({ description: 'From the top of the rack to its bottom' }),
    full: z.int().meta({ description: 'Servers above 80 percent of their cores or memory' }),
    cpu: z.number().meta({ description: 'Percent, of all servers that take units' }),
    memory: z.number().meta({ description: 'Percent, of all servers that take units' }),
    isRow: z.literal(true).exactOptional().meta({ description: 'No rack: a row of servers that tell none' }),
  })
  .meta({ id: 'Rack' });

export const siteDeclaration = z
  .object({
    name,
    kind: z.string().meta({ description: 'Kind of driver: linux, simulated' }),
    config: z.record(z.string(), z.unknown()).default({}).meta({ description: 'As the schema of the kind says' }),
    tier: z.string().optional(),
    cells: z.array(z.string()).default([]),
    services: z.array(z.string()).default([]),
    price: z.object({ core: z.number().min(0), gib: z.number().min(0) }).default({ core: 1, gib: 0.1 }),
    latitude: z.number().min(-90).max(90).optional(),
    longitude: z.number().min(-180).max(180).optional(),
  })
  .meta({ id: 'SiteDeclaration' });

export const site = siteDeclaration
  .extend({
    id: z.string().meta({ description: 'Lasting and unique; what the driver names on its machine derives from it' }),
    healthy: z.boolean(),
    realPackets: z.boolean(),
    hostCount: z.int(),
    unitCount: z.int(),
    capacity: z.object({ cpu: z.number(), memoryMiB: z.number() }),
    used: z.object({ cpu: z.number(), memoryMiB: z.number() }),
    error: errorReport.optional(),
  })
  .meta({ id: 'Site' });

export const siteDetail = site
  .extend({
    hosts: z.array(host),
    capabilities: z.array(z.object({ name: z.string(), present: z.boolean(), note: z.string().optional() })),
    pools: z.array(pool),
    storage: z.array(storageTier).exactOptional(),
  })
  .meta({ id: 'SiteDetail' });

export const siteDescription = z
  .object({
    tables: z.array(
      z.object({
        title: z.string(),
        columns: z.array(z.string()),
        rows: z.array(z.array(z.string())),
        note: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'SiteDescription', description: 'What a site says of itself in its own words' });

const dumpedFiles = z.array(z.object({ name: z.string(), text: z.string() }));

export const siteDump = z
  .object({
    intent: dumpedFiles.meta({ description: 'What was asked of a cloud, in the words of its API' }),
    realised: dumpedFiles.meta({ description: 'What the site itself has: rules, routes, wires' }),
  })
  .meta({ id: 'SiteDump', description: 'The networks of a site as files that `verify` reads' });

export const siteLink = z
  .object({
    a: name,
    b: name,
    latencyMs: z.number().min(0).max(10_000).meta({ description: 'One way' }),
    jitterMs: z.number().min(0).max(1_000).default(0),
    loss: z.number().min(0).max(1).default(0),
    bandwidthMbps: z.number().positive().max(400_000).default(1_000),
  })
  .meta({ id: 'SiteLink' });

export const duration = z
  .object({
    of: z.enum(['step', 'request']),
    name: z.string().meta({ description: 'Verb of the step, or method and route of the request' }),
    count: z.int().min(0),
    meanMs: z.number(),
    p95Ms: z.number().exactOptional().meta({ description: '95 of 100 were within; absent: beyond what is measured' }),
  })
  .meta({ id: 'Duration' });

/** What is to be deployed: the text of a native descriptor, a catalogue entry, or the files of a package. */
export const descriptorFiles = z
  .array(z.object({ path: z.string().max(512), base64: z.string().max(2_000_000) }))
  .min(1)
  .max(512);

export const descriptorSource = z
  .union([
    z.object({ descriptor: z.string().meta({ description: 'Id or name of a catalogue entry' }) }),
    z.object({
      files: descriptorFiles.meta({ description: 'The descriptor first' }),
      baseFolder: z
        .string()
        .optional()
        .meta({ description: 'Folder on the machine of the control plane that relative paths start from' }),
    }),
  ])
  .meta({ id: 'DescriptorSource' });

/** Values for the inputs of a template, by name. Texts are taken for what the template wants. */
export const inputs = z
  .record(z.string().max(255), z.unknown())
  .meta({ description: 'Inputs of the template; all that it asks for and that have no default' });

export const inputForm = z
  .object({
    schema: z.record(z.string(), z.unknown()).meta({
      description: 'JSON Schema of an object. What is `writeOnly` takes `secret:NAME` and no value',
    }),
    count: z.int(),
  })
  .meta({ id: 'InputForm' });

export const descriptor = z
  .object({
    id: z.string(),
    name: z.string(),
    version: z.string(),
    format: z.string(),
    onboardingState: z.enum(['CREATED', 'UPLOADING', 'PROCESSING', 'ONBOARDED', 'ERROR']),
    operationalState: z.enum(['ENABLED', 'DISABLED']),
    usageState: z.enum(['IN_USE', 'NOT_IN_USE']),
    createdAt: z.number(),
  })
  .meta({ id: 'Descriptor' });

export const checkResult = z
  .object({
    ok: z.boolean(),
    name: z.string().optional(),
    format: z.string(),
    problems: z.array(problem),
    verification: verificationReport
      .optional()
      .meta({ description: 'Of the policies, with all functions on one site that is not there' }),
  })
  .meta({ id: 'CheckResult' });

export const assignment = z
  .object({
    unit: z.string().meta({ description: 'Path and index: video/server#0' }),
    path: z.string(),
    index: z.int(),
    environment: z.enum(environments),
    site: z.string(),
    host: z.string(),
    reasons: z.array(z.string()),
  })
  .meta({ id: 'Assignment' });

export const stepState = z.enum(['pending', 'running', 'done', 'failed', 'undoing', 'undone', 'skipped']);

export const step = z
  .object({
    id: z.string(),
    title: z.string().meta({ description: 'create container video/server#0 on core/h1' }),
    verb: z.string(),
    site: z.string().optional(),
    dependsOn: z.array(z.string()),
    state: stepState,
    attempt: z.int(),
    startedAt: z.number().optional(),
    endedAt: z.number().optional(),
    error: errorReport.optional(),
    detail: z.array(progress).optional().meta({
      description: 'What was told while it was worked on: resources of a stack, tasks of a workflow or a playbook',
    }),
    result: z.unknown().optional().meta({
      description:
        'Of a workflow: its execution, output and tasks by state. Of a playbook: what became of its hosts, and what it said',
    }),
  })
  .meta({ id: 'Step' });

export const chainLatency = z
  .object({
    chain: z.string(),
    latencyMs: z.number().meta({ description: 'One way, propagation between sites only' }),
    desiredMs: z.number().optional(),
    maxMs: z.number().optional(),
    sites: z.array(z.string()).meta({ description: 'Site of each hop, in order' }),
  })
  .meta({ id: 'ChainLatency' });

export const plan = z
  .object({
    service: z.string(),
    kind: z.string(),
    assignments: z.array(assignment),
    chains: z.array(chainLatency),
    costPerHour: z.number(),
    steps: z.array(step.pick({ id: true, title: true, verb: true, site: true, dependsOn: true })),
    digest: z.string().meta({ description: 'Equal plans have equal digests' }),
    verification: verificationReport
      .optional()
      .meta({ description: 'Of the policies of the service, on the data plane that this plan leads to' }),
    previews: z
      .array(stackPreview)
      .optional()
      .meta({ description: 'Of a dry run: what the orchestrators of sites say that they would do' }),
    carried: z
      .array(z.string())
      .optional()
      .meta({ description: 'Of an adoption: what stays in the stack as it is, and is no part of the service' }),
  })
  .meta({ id: 'Plan' });

export const operationState = z.enum([
  'STARTING',
  'PROCESSING',
  'COMPLETED',
  'FAILED_TEMP',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'FAILED',
]);
export const deployWay = {
  via: z
    .enum(['heat', 'direct'])
    .optional()
    .meta({ description: 'How new parts of the service are made; without it, as the configuration of each site says' }),
  rollback: z.boolean().optional().meta({ description: 'Of stacks: the site itself takes back what failed' }),
  sites: z.record(name, name).optional().meta({
    description:
      'Sites that stand for tiers and sites that the descriptor names: {edge: linux1}. No others are used then',
  }),
};

export const operationKind = z.enum([
  'INSTANTIATE',
  'SCALE',
  'MOVE',
  'HEAL',
  'UPDATE',
  'LINK',
  'WORKFLOW',
  'PLAYBOOK',
  'TERMINATE',
]);

export const operation = z
  .object({
    id: z.string(),
    service: z.string().meta({
      description:
        'Of LINK: `link:` and the two sites, as in link:core:edge. Of WORKFLOW: `workflow:`, its site and its name',
    }),
    kind: operationKind,
    state: operationState,
    automatic: z.boolean().meta({ description: 'Started by the system itself, not by a user' }),
    params: z.record(z.string(), z.unknown()),
    startedAt: z.number(),
    stateEnteredAt: z.number(),
    cancelPending: z.boolean(),
    error: errorReport.optional(),
    executor: z.string().optional(),
    policies: z
      .object({ planned: proofAnswer.optional(), realised: proofAnswer.optional() })
      .optional()
      .meta({ description: 'The worst answer of the policies of the service, as planned and as it was afterwards' }),
  })
  .meta({ id: 'Operation' });

export const operationDetail = operation
  .extend({
    plan: plan.optional(),
    steps: z.array(step),
    realised: verificationReport
      .optional()
      .meta({ description: 'Of the policies, on the data plane that the sites had afterwards' }),
  })
  .meta({ id: 'OperationDetail' });

export const unitPort = z
  .object({
    name: z.string(),
    network: z.string(),
    address: z.string(),
    mac: z.string(),
    sid: z.string(),
  })
  .meta({ id: 'UnitPort' });

export const unit = z
  .object({
    id: z.string(),
    path: z.string(),
    index: z.int(),
    environment: z.enum(environments),
    site: z.string(),
    host: z.string(),
    state: z.enum(['starting', 'running', 'draining', 'failed', 'stopped']),
    ports: z.array(unitPort),
    pooled: z.boolean(),
    telemetry: z.boolean(),
  })
  .meta({ id: 'Unit' });

/** A unit in the list of all units. */
export const listedUnit = unit
  .omit({ ports: true, telemetry: true })
  .extend({ service: z.string(), updatedAt: z.number() })
  .meta({ id: 'ListedUnit' });

/** Units of one path on one host, counted. */
export const unitGroup = z
  .object({
    path: z.string(),
    environment: z.enum(environments),
    site: z.string(),
    host: z.string(),
    count: z.int(),
    byState: z.partialRecord(unit.shape.state, z.int()),
  })
  .meta({ id: 'UnitGroup' });

export const serviceState = z.enum(['NOT_INSTANTIATED', 'INSTANTIATED']);

export const service = z
  .object({
    id: z.string(),
    name: z.string(),
    descriptorId: z.string(),
    version: z.string(),
    state: serviceState,
    healthy: z.boolean(),
    busy: z.string().optional().meta({ description: 'Id of the operation under way' }),
    unitCount: z.int(),
    runningCount: z.int(),
    sites: z.array(z.string()),
    createdAt: z.number(),
  })
  .meta({ id: 'Service' });

export const chainStatus = z
  .object({
    name: z.string(),
    address: z.string(),
    version: z.int(),
    hops: z.array(z.object({ unit: z.string(), site: z.string(), host: z.string(), sid: z.string() })),
    latencyMs: z.number(),
  })
  .meta({ id: 'ChainStatus' });

export const serviceNetwork = z
  .object({
    name: z.string(),
    prefix: z.string(),
    mtu: z.int(),
    parts: z
      .array(z.object({ site: z.string(), prefix: z.string() }))
      .meta({ description: 'The part of its prefix that each site has' }),
    ports: z
      .array(z.object({ unit: z.string(), port: z.string(), bandwidthMbps: z.number().optional() }))
      .meta({ description: 'Ports of units, by path: every instance of the unit has such a port' }),
  })
  .meta({ id: 'ServiceNetwork' });

/** A network in the list of all networks: one of a service, over its sites, or the one of segments that a site has. */
export const listedNetwork = z
  .object({
    id: z.string().meta({ description: 'service.network, or the name of the site' }),
    of: z.enum(['service', 'site']),
    owner: z.string().meta({ description: 'The service, or the site' }),
    name: z.string(),
    prefix: z.string(),
    mtu: z.int().exactOptional().meta({ description: 'Of networks of services' }),
    sites: z.array(z.string()),
    portCount: z.int().meta({ description: 'Ports of units that are there; of a site, its hosts' }),
  })
  .meta({ id: 'ListedNetwork' });

export const serviceBalancer = z
  .object({
    name: z.string(),
    unit: z.string().meta({ description: 'Path of the unit over whose instances it balances' }),
    address: z.string(),
    port: z.int(),
    layer: z.enum(['tcp', 'udp', 'http']),
  })
  .meta({ id: 'ServiceBalancer' });

/** What lies between a service and the machines: segments (SRv6) and the rules that send packets to them. */
export const overlay = z
  .object({
    service: z.string(),
    routers: z.array(z.object({ site: z.string(), sid: z.string(), locator: z.string() })).meta({
      description: 'Router of each site (End, RFC 8986), and the prefix of its segment identifiers',
    }),
    segments: z.array(z.object({ sid: z.string(), unit: z.string(), port: z.string(), site: z.string() })).meta({
      description: 'Where packets of chains are decapsulated for a port (End.DX4); `unit` is an id',
    }),
    routes: z.array(
      z.object({
        chain: z.string(),
        version: z.int(),
        direction: z.enum(['forward', 'reverse']),
        site: z.string(),
        from: z.string().meta({ description: 'Id of the unit whose packets it takes' }),
        destination: z.string(),
        via: z.array(z.string()).meta({ description: 'Segments, in the order in which they are visited' }),
      }),
    ),
  })
  .meta({ id: 'Overlay' });

export const serviceDetail = service
  .extend({
    functions: z.array(
      z.object({
        name: z.string(),
        units: z.array(z.object({ path: z.string(), environment: z.enum(environments), wanted: z.int() })),
      }),
    ),
    units: z.array(unit).meta({ description: 'All of them; beside `groups`, few' }),
    groups: z.array(unitGroup).optional().meta({ description: 'All units, counted, where they are too many' }),
    chains: z.array(chainStatus),
    networks: z.array(serviceNetwork).optional(),
    balancers: z.array(serviceBalancer).optional(),
  })
  .meta({ id: 'ServiceDetail' });

export const event = z
  .object({
    id: z.int(),
    at: z.number(),
    kind: z.string().meta({
      description: 'operation, step, unit, site, service, pool, descriptor, scaling, anomaly, characterisation, audit',
    }),
    subject: z.string().meta({ description: 'What it is about: an id or a name' }),
    service: z.string().optional(),
    severity: z.enum(['info', 'warning', 'error']),
    message: z.string().meta({ description: 'One sentence for people' }),
    by: z.string().optional().meta({ description: 'Of audit: name of the user who asked' }),
    body: z.record(z.string(), z.unknown()).meta({ description: 'The resource as it is now, where that is small' }),
  })
  .meta({ id: 'Event' });

/** One request of a user equipment, as its unit wrote it. */
export const sample = z
  .object({
    t: z.number(),
    unit: z.string(),
    latencyMs: z.number(),
    bytes: z.number(),
    ok: z.boolean(),
    error: z.string().optional(),
    from: z.string().optional().meta({ description: 'Who answered: the site or instance that the answer names' }),
  })
  .meta({ id: 'Sample' });

export const systemInfo = z
  .object({
    name: z.literal('superfluidity'),
    version: z.string(),
    executor: z.string(),
    database: z.string(),
    formats: z.array(z.string()).meta({ description: 'Formats of descriptors that are read' }),
    siteKinds: z.array(
      z.object({
        kind: z.string(),
        usable: z.boolean(),
        missing: z.array(
          z.object({
            name: z.string(),
            neededFor: z.string(),
            package: z.string().optional(),
            reason: z.string(),
            required: z.boolean(),
          }),
        ),
        configSchema: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .meta({ id: 'SystemInfo' });
