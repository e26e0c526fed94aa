import { autoscaleShape, environments } from '@superfluidity/model';
import { z } from 'zod';

/**
 * The shape of native descriptors, format version 1. From it come the reader's checks and the JSON Schema that
 * editors use. What values mean together is checked by the model.
 */
const text = z.string().min(1).max(4096);
const name = text.meta({
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  description: 'A DNS label: lower case letters, digits, hyphens',
});
const amount = z.number().min(0).max(1e12);
const port = z.int().min(1).max(65_535);
const milliseconds = z.number().min(0).max(86_400_000);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(100_000);
const unitReference = text.describe('Path of a unit: `radio/bbu`. The function alone, where it has one unit only');
const carried = z
  .record(z.string().max(256), z.unknown())
  .meta({ id: 'carried', description: 'What another dialect said and this format cannot' });

const affinity = z.strictObject({
  kind: z.enum(['together', 'apart']),
  scope: z.enum(['host', 'site']),
  with: list(text).describe('Paths of functions or units'),
});

const location = z.strictObject({
  sites: list(text).exactOptional(),
  cells: list(text).describe('Radio cells whose users it serves').exactOptional(),
  tier: text.describe('edge, aggregation, core, or a tier of the operator').exactOptional(),
});

export const requirementsShape = z
  .strictObject({
    cpu: amount
      .describe('Cores, in fractions too. On linux sites a unit may have a whole one for its first second')
      .exactOptional(),
    memoryMiB: amount.exactOptional(),
    storageMiB: amount.exactOptional(),
    bandwidthMbps: amount.exactOptional(),
    accelerators: list(text).exactOptional(),
    latencyMaxMs: milliseconds.describe('To the users of the cells served').exactOptional(),
    latencyDesiredMs: milliseconds.exactOptional(),
    location: location.exactOptional(),
    costMax: amount.describe('Per hour, in the price unit of the site').exactOptional(),
    affinity: list(affinity).exactOptional(),
    services: z
      .strictObject({ mandatory: list(text).exactOptional(), optional: list(text).exactOptional() })
      .describe('Platform services that the site offers')
      .exactOptional(),
    after: list(unitReference).describe('Units that must be running first').exactOptional(),
  })
  .meta({ id: 'requirements', description: 'What is asked of where it runs. What lies inside inherits it' });

const healthFields = {
  port: port.exactOptional(),
  path: text.exactOptional(),
  timeoutMs: milliseconds.exactOptional(),
};

interface Asked {
  readonly kind: string;
  readonly port?: number;
  readonly path?: string;
}

function healthNeeds(check: Asked, context: z.RefinementCtx): void {
  const needs = (field: 'port' | 'path', needed: boolean) => {
    if ((check[field] !== undefined) === needed) return;
    const message = needed
      ? `a check of kind ${check.kind} needs '${field}'`
      : `a check of kind ${check.kind} has no '${field}'`;
    context.addIssue({ code: 'custom', message, path: [field], params: { missing: needed } });
  };
  needs('port', check.kind !== 'ping' && check.kind !== 'running');
  needs('path', check.kind === 'http' || check.kind === 'https');
}

const healthText = z
  .string()
  .max(1024)
  .regex(/^(ping|running|tcp:[0-9]{1,5}|http:[0-9]{1,5}\/\S*)$/, 'must be ping, running, tcp:PORT or http:PORT/PATH');

const health = z
  .strictObject({ kind: z.enum(['ping', 'running', 'tcp', 'http']), ...healthFields })
  .superRefine(healthNeeds);

export const healthShape = z
  .union([healthText, health])
  .meta({ id: 'health', description: 'ping, running, tcp:PORT, http:PORT/PATH, or the long form' });

const trafficRule = z.strictObject({
  protocol: z.enum(['tcp', 'udp', 'icmp']).exactOptional(),
  from: text.exactOptional(),
  ports: list(port).exactOptional(),
});

const portShape = z
  .union([
    text,
    z.strictObject({
      name,
      network: text.exactOptional(),
      address: text.exactOptional(),
      mac: text
        .meta({
          pattern: '^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$',
          description: 'Ethernet address, where it must be this one',
        })
        .exactOptional(),
      internalIf: text.describe('Name of the interface inside, where it is not the name of the port').exactOptional(),
      allow: list(trafficRule).describe('What may come in. Absent: everything; empty: nothing').exactOptional(),
      bandwidthMbps: amount.describe('At most so much, in each direction').exactOptional(),
      guaranteedMbps: amount.describe('So much is kept free for it, in each direction').exactOptional(),
      dscp: z.int().min(0).max(63).describe('Code point (RFC 2474) of what the unit sends').exactOptional(),
      carried: carried.exactOptional(),
    }),
  ])
  .meta({ id: 'port', description: 'A network (the first port is eth0, the second eth1), or the long form' });

const linkShape = z.strictObject({
  name,
  ends: list(text).describe('`child.port`, or `port` of this block'),
  latencyMaxMs: milliseconds.exactOptional(),
  bandwidthMbps: amount.exactOptional(),
  carried: carried.exactOptional(),
});

const count = z.int().min(0).max(1_000_000);
const scaleShape = z
  .union([count, z.strictObject({ initial: count, min: count, max: count })])
  .meta({ id: 'scale', description: 'How many instances: a number, or initial, min and max' });

const drain = z
  .union([
    z.enum(['SIGTERM', 'SIGUSR1']),
    z.strictObject({ signal: z.enum(['SIGTERM', 'SIGUSR1']), timeoutMs: milliseconds }),
  ])
  .describe('How it is asked to finish its work before it is removed');

const nested = z.strictObject({
  descriptor: text.exactOptional(),
  descriptorType: text.exactOptional(),
  parent: unitReference.describe('Unit in which it runs; none: bare metal only').exactOptional(),
  parentMandatory: z
    .boolean()
    .describe('In its parent alone; where none is named, in some virtual machine')
    .exactOptional(),
});

const environment = z.enum(environments);

/** How to run it, beside `environment`. */
const executionFields = {
  image: text
    .describe('host:, folder:PATH, oci:PATH; of a VM guest:, disk:PATH; name:IMAGE of a site or registry')
    .exactOptional(),
  command: list(z.string().max(65_536)).exactOptional(),
  env: z.record(z.string().max(256), z.string().max(65_536)).exactOptional(),
  files: text.describe('Folder of the package that is mounted read-only at /app').exactOptional(),
  program: z.string().max(4_194_304).describe('nft: the ruleset. click: the configuration').exactOptional(),
  forwards: z.boolean().describe('Packets pass through it').exactOptional(),
  translates: text.describe('Prefix whose source addresses it rewrites to its own').exactOptional(),
  health: healthShape.exactOptional(),
  drain: drain.exactOptional(),
  telemetry: z.boolean().describe('Its output carries JSON lines that are kept').exactOptional(),
  pool: z.int().min(0).max(10_000).describe('How many ready ones a site keeps').exactOptional(),
  nested: nested.exactOptional(),
};

const blockFields = {
  name,
  description: z.string().max(4096).exactOptional(),
  ports: list(portShape).exactOptional(),
  links: list(linkShape).exactOptional(),
  requirements: requirementsShape.exactOptional(),
  carried: carried.exactOptional(),
};

const elementFields = z.strictObject({
  ...blockFields,
  environment: environment.exactOptional(),
  ...executionFields,
});

export interface NativeElement extends z.infer<typeof elementFields> {
  elements?: NativeElement[];
}

export const elementShape: z.ZodType<NativeElement> = z
  .strictObject({
    ...elementFields.shape,
    get elements() {
      return list(elementShape).exactOptional();
    },
  })
  .meta({ id: 'element' });

const unitFields = z.strictObject({
  ...blockFields,
  environment,
  ...executionFields,
  scale: scaleShape.exactOptional(),
  autoscale: autoscaleShape.exactOptional(),
});

export interface NativeUnit extends z.infer<typeof unitFields> {
  units?: NativeUnit[];
  elements?: NativeElement[];
}

export const unitShape: z.ZodType<NativeUnit> = z
  .strictObject({
    ...unitFields.shape,
    get units() {
      return list(unitShape).exactOptional();
    },
    elements: list(elementShape).exactOptional(),
  })
  .meta({ id: 'unit' });

/** A unit without what another dialect says of it: name, description, ports and what it contains. */
export const unitFragmentShape = z.strictObject({
  environment,
  ...executionFields,
  requirements: requirementsShape.exactOptional(),
});

const unitOnly = [...Object.keys(executionFields), 'environment', 'scale', 'autoscale', 'elements'] as const;

export const functionShape = z
  .strictObject({
    ...blockFields,
    units: list(unitShape).exactOptional(),
    environment: environment.exactOptional(),
    ...executionFields,
    scale: scaleShape.exactOptional(),
    autoscale: autoscaleShape.exactOptional(),
    elements: list(elementShape).exactOptional(),
  })
  .superRefine((value, context) => {
    if (value.units === undefined && value.environment === undefined) {
      const message = "a function has 'units', or 'environment' and what else a single unit has";
      context.addIssue({ code: 'custom', message, path: ['units'], params: { missing: true } });
    }
    for (const field of value.units === undefined ? [] : unitOnly) {
      if (!Object.hasOwn(value, field)) continue;
      context.addIssue({
        code: 'custom',
        message: `'${field}' belongs to the units, since this function lists them`,
        path: [field],
      });
    }
  })
  .meta({
    id: 'function',
    description: 'With a list of units, or written as its only unit, which then has the same name',
    anyOf: [{ required: ['units'] }, { required: ['environment'] }],
  });

const networkShape = z.strictObject({
  name,
  prefix: text.describe('IPv4 prefix, from which every site takes its part'),
  mtu: z.int().min(576).max(65_535).exactOptional(),
  carried: carried.exactOptional(),
});

const chainShape = z.strictObject({
  name,
  from: unitReference,
  through: list(unitReference).exactOptional(),
  to: unitReference,
  address: text.describe('The service address: it stays when the unit behind it moves'),
  protocol: z.enum(['tcp', 'udp', 'any']).exactOptional(),
  ports: list(port).exactOptional(),
  latencyMaxMs: milliseconds.exactOptional(),
  latencyDesiredMs: milliseconds.exactOptional(),
  bandwidthMbps: amount.exactOptional(),
  lossMax: z.number().min(0).max(1).exactOptional(),
  carried: carried.exactOptional(),
});

const weight = z
  .int()
  .min(0)
  .max(256)
  .describe('Of each instance, against those of the others; 1 where nothing is said');
const share = {
  unit: unitReference,
  targetPort: port.exactOptional(),
  weight: weight.exactOptional(),
  backup: z.boolean().describe('Gets flows only when no other member works').exactOptional(),
};

const balancerHealthShape = z
  .union([
    healthText,
    z
      .strictObject({
        kind: z.enum(['ping', 'running', 'tcp', 'http', 'https', 'tls-hello', 'udp-connect']),
        ...healthFields,
        intervalMs: milliseconds.exactOptional(),
        rise: z.int().min(1).max(10).describe('Answers in a row that take a member in').exactOptional(),
        fall: z.int().min(1).max(10).describe('Failures in a row that take it out').exactOptional(),
        method: z
          .enum(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE', 'PATCH', 'CONNECT'])
          .exactOptional(),
        codes: text.describe('`200`, `200,202` or `200-204`; any of 200 to 399 where nothing is said').exactOptional(),
        host: text.describe('Host header of http and https').exactOptional(),
      })
      .superRefine(healthNeeds),
  ])
  .meta({ id: 'balancer-health', description: 'ping, running, tcp:PORT, http:PORT/PATH, or the long form' });

const redirectCode = z.union([301, 302, 303, 307, 308].map((code) => z.literal(code as 301 | 302 | 303 | 307 | 308)));
const routeShape = z
  .strictObject({
    name,
    rules: list(
      z.strictObject({
        kind: z.enum(['host', 'path', 'file-type', 'header', 'cookie']),
        compare: z.enum(['equals', 'starts', 'ends', 'contains', 'regex']),
        name: text.describe('Of the header or cookie').exactOptional(),
        value: text,
        invert: z.boolean().exactOptional(),
      }),
    ).describe('All of them hold'),
    action: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('reject') }),
      z.strictObject({
        kind: z.enum(['redirect', 'redirect-prefix']),
        url: text,
        code: redirectCode.exactOptional(),
      }),
      z.strictObject({ kind: z.literal('pool'), pool: text }),
    ]),
  })
  .meta({
    id: 'route',
    description: 'The first that holds decides; rejections go before redirections, and these before pools',
  });

const balancerShape = z
  .strictObject({
    name,
    unit: unitReference,
    address: text,
    port,
    targetPort: port.exactOptional(),
    layer: z.enum(['tcp', 'udp', 'http']).describe('tcp and udp go by flows, http by requests').exactOptional(),
    health: balancerHealthShape.exactOptional(),
    weight: weight.exactOptional(),
    also: list(z.strictObject(share)).describe('Further units behind it').exactOptional(),
    pools: list(z.strictObject({ name, ...share }))
      .describe('Where routes lead')
      .exactOptional(),
    algorithm: z
      .union([
        z.enum(['round-robin', 'least-connections', 'random', 'source-ip', 'source-ip-port', 'uri']),
        z.templateLiteral(['header:', z.string()]),
        z.templateLiteral(['parameter:', z.string()]),
      ])
      .meta({ description: 'How a new flow or request gets its member. Also header:NAME and parameter:NAME' })
      .exactOptional(),
    persistence: z
      .strictObject({
        kind: z.enum(['source-ip', 'cookie', 'app-cookie']),
        cookie: text.describe('Its name; app-cookie needs it').exactOptional(),
        timeoutMs: milliseconds.exactOptional(),
      })
      .describe('Who keeps the member that it had: cookie is set by the balancer, app-cookie by the application')
      .exactOptional(),
    routes: list(routeShape).exactOptional(),
    tls: z
      .strictObject({
        certificates: list(text).min(1).describe('`secret:NAME`: PEM of key, certificate and chain'),
        minVersion: z.enum(['1.2', '1.3']).exactOptional(),
        ciphers: text.exactOptional(),
        alpn: list(z.enum(['h2', 'http/1.1', 'http/1.0'])).exactOptional(),
        clients: z
          .strictObject({ authority: text, required: z.boolean() })
          .describe('Clients show a certificate that this authority signed')
          .exactOptional(),
      })
      .describe('It ends TLS')
      .exactOptional(),
    connectionLimit: z.int().min(1).max(1_000_000).exactOptional(),
    timeouts: z
      .strictObject({
        clientMs: milliseconds.exactOptional(),
        connectMs: milliseconds.exactOptional(),
        memberMs: milliseconds.exactOptional(),
      })
      .exactOptional(),
    allow: list(text).describe('Prefixes or addresses of those who may come').exactOptional(),
    proxyProtocol: z
      .union([z.literal(1), z.literal(2)])
      .describe('Members are told the client by it')
      .exactOptional(),
    forwarded: z.boolean().describe('Members get X-Forwarded-For, -Port and -Proto').exactOptional(),
    carried: carried.exactOptional(),
  })
  .meta({ id: 'balancer', description: 'A virtual address over the instances of a unit, or of several' });

const places = z
  .union([text, list(text).min(1)])
  .describe('A function, a unit (`radio/bbu`) or a network, which means the units on it; or a list of them');
const filter = z
  .string()
  .min(1)
  .max(4096)
  .describe('Which packets, as a filter of tcpdump: `tcp && dst port 8080`. Absent: all of IPv4');
const ends = { from: places, to: places, packet: filter.exactOptional() };

const claims = {
  reach: z
    .strictObject(ends)
    .describe('All these packets arrive, sent to an address of `to`, and their answers come back')
    .exactOptional(),
  deny: z.strictObject(ends).describe('None of these packets arrives, whatever it is sent to').exactOptional(),
  through: z
    .strictObject({ chain: text, waypoints: list(text).min(1) })
    .describe('Packets of the chain pass these functions or units in this order, and their answers come back that way')
    .exactOptional(),
  check: z
    .strictObject({
      from: places,
      packet: filter.exactOptional(),
      formula: z.string().min(1).max(65_536).describe('NetCTL, as in the guide of verification: `AG not at firewall`'),
    })
    .describe('A formula for what the rest cannot say')
    .exactOptional(),
};
const claimNames = Object.keys(claims) as readonly (keyof typeof claims)[];

/** What must always be true of the data plane of the service. Proven before a deployment, and of what is there after it. */
export const policyShape = z
  .strictObject({ name, description: z.string().max(4096).exactOptional(), ...claims })
  .superRefine((policy, context) => {
    const [first, ...more] = claimNames.filter((claim) => policy[claim] !== undefined);
    if (first === undefined) {
      const message = `a policy has one of ${claimNames.join(', ')}`;
      context.addIssue({ code: 'custom', message, path: [], params: { missing: true } });
    }
    for (const claim of more) {
      context.addIssue({
        code: 'custom',
        message: `this policy has '${first}' already: write another one`,
        path: [claim],
      });
    }
  })
  .meta({
    id: 'policy',
    description: 'What the data plane must always do; proven for all packets before the service is deployed',
    oneOf: claimNames.map((claim) => ({ required: [claim] })),
  });

/** Also what SOL006 carries as an augmentation. */
export const policiesShape = list(policyShape);

export const serviceShape = z
  .strictObject({
    ...blockFields,
    version: text,
    networks: list(networkShape).exactOptional(),
    functions: list(functionShape),
    chains: list(chainShape).exactOptional(),
    balancers: list(balancerShape).exactOptional(),
    policies: policiesShape.exactOptional(),
  })
  .meta({ id: 'service' });

export const nativeShape = z
  .strictObject({
    $schema: text.exactOptional(),
    superfluidity: z.literal(1).describe('Version of this format'),
    service: serviceShape,
  })
  .meta({ title: 'Superfluidity service descriptor, format 1' });

export type NativeService = z.infer<typeof serviceShape>;
export type NativeFunction = z.infer<typeof functionShape>;
export type NativeUnitFragment = z.infer<typeof unitFragmentShape>;
export type NativeRequirements = z.infer<typeof requirementsShape>;
export type NativeHealth = z.infer<typeof healthShape>;
export type NativeBalancerHealth = z.infer<typeof balancerHealthShape>;
export type NativePolicy = z.infer<typeof policyShape>;
export type NativePort = z.infer<typeof portShape>;

/** JSON Schema (draft 2020-12) as published in docs/schemas. */
export const nativeJsonSchema = z.toJSONSchema(nativeShape, { io: 'input' });
