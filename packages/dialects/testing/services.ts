import { environments, type Block, type Requirements, type Service } from '@superfluidity/model';
import fc from 'fast-check';

/** Sound services in which everything that the format can say occurs. */
const label = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/);
const words = fc.string({ minLength: 1, maxLength: 20 });
const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
const amount = fc.oneof(fc.nat(1000), fc.constantFrom(0.25, 0.1, 1.5));
const timeoutMs = fc.constantFrom(5000, 100, 10_000);
const port = fc.integer({ min: 1, max: 65_535 });
const health = fc.oneof(
  fc.record({ kind: fc.constantFrom('ping' as const, 'running' as const), timeoutMs }),
  fc.record({ kind: fc.constant('tcp' as const), port, timeoutMs }),
  fc.record({ kind: fc.constant('http' as const), port, path: words, timeoutMs }),
);
const requirements = optional({
  cpu: amount,
  memoryMiB: amount,
  accelerators: fc.array(words, { maxLength: 2 }),
  latencyMaxMs: amount,
  location: optional({
    sites: fc.array(words, { maxLength: 2 }),
    cells: fc.array(words, { maxLength: 2 }),
    tier: words,
  }),
  costMax: amount,
  services: optional({ mandatory: fc.array(words, { maxLength: 2 }), optional: fc.array(words, { maxLength: 2 }) }),
}) as fc.Arbitrary<Requirements>;
const ports = fc.uniqueArray(
  fc.record(
    {
      name: fc.constantFrom('eth0', 'eth1', 'wan'),
      network: fc.constantFrom('lan', 'n2'),
      bandwidthMbps: amount.filter((mbps) => mbps >= 0.1),
      guaranteedMbps: fc.constant(0.1),
      dscp: fc.constantFrom(0, 46, 3),
      allow: fc.array(
        optional({
          protocol: fc.constantFrom('tcp' as const, 'icmp' as const),
          ports: fc.array(port, { maxLength: 2 }),
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: ['name', 'network'] },
  ),
  { selector: ({ name }) => name, maxLength: 3 },
);
const execution = fc.record(
  {
    environment: fc.constantFrom(...environments),
    image: fc.constantFrom('host:', 'oci:images/x'),
    command: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
    program: fc.oneof(
      fc.string(),
      fc.constant('table ip x {\n  chain y {\n  }\n}\n'),
      fc.constant('  odd\n\n\t start: # \n'),
    ),
    env: fc.dictionary(label, fc.string(), { maxKeys: 3 }),
    files: fc.constantFrom('.', 'programs'),
    forwards: fc.boolean(),
    telemetry: fc.boolean(),
    pool: fc.nat(5),
    health,
    drain: fc.record({ signal: fc.constantFrom('SIGTERM' as const, 'SIGUSR1' as const), timeoutMs }),
    nested: optional({ descriptorType: words, parent: fc.constant('none') }),
  },
  { requiredKeys: ['environment', 'image', 'command', 'program'] },
);
const carried = fc.dictionary(
  label,
  // The reader refuses fields of that name.
  fc
    .json()
    .filter((text) => !text.includes('__proto__'))
    .map((text) => JSON.parse(text) as unknown),
  { minKeys: 1, maxKeys: 2 },
);
const unit: fc.Arbitrary<Block> = fc
  .tuple(
    fc.record(
      {
        name: label,
        description: words,
        ports,
        requirements,
        execution,
        carried,
        scale: fc.constantFrom({ initial: 1, min: 1, max: 3 }, { initial: 2, min: 2, max: 2 }),
      },
      { requiredKeys: ['name', 'ports', 'requirements', 'execution'] },
    ),
    fc.boolean(),
  )
  .map(([fields, parent]): Block => {
    const element: Block = { kind: 'element', name: 'inner', ports: [], children: [], links: [], requirements: {} };
    return { kind: 'unit', links: [], ...fields, children: parent ? [element] : [] };
  });
const fn: fc.Arbitrary<Block> = fc
  .record(
    {
      name: label,
      description: words,
      requirements: fc.oneof(fc.constant({}), requirements),
      children: fc.uniqueArray(unit, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
      same: fc.boolean(),
    },
    { requiredKeys: ['name', 'requirements', 'children', 'same'] },
  )
  .map(({ same, children, ...fields }): Block => {
    const [only] = children;
    const units = same ? [{ ...only!, name: fields.name }] : children;
    return { kind: 'function', ports: [], links: [], ...fields, children: units };
  });
/** Ethernet addresses for ports of units of which there is one. */
function withMacs(functions: readonly Block[]): readonly Block[] {
  let number = 0;
  const mac = () => `02:00:5e:10:00:${(number += 1).toString(16).padStart(2, '0')}`;
  return functions.map((one) => ({
    ...one,
    children: one.children.map((inner) =>
      inner.scale === undefined ? { ...inner, ports: inner.ports.map((each) => ({ ...each, mac: mac() })) } : inner,
    ),
  }));
}
export const services: fc.Arbitrary<Service> = fc
  .record({
    macs: fc.boolean(),
    functions: fc.uniqueArray(fn, { selector: ({ name }) => name, minLength: 1, maxLength: 4 }),
    version: words,
    description: words,
    mtu: fc.option(fc.integer({ min: 576, max: 9000 }), { nil: undefined }),
    layer: fc.constantFrom('tcp' as const, 'http' as const),
  })
  .map(({ macs, functions: plain, version, description, mtu, layer }) => {
    const functions = macs ? withMacs(plain) : plain;
    const paths = functions.flatMap((f) =>
      f.children.map((u) => ({ path: `${f.name}/${u.name}`, on: u.ports.length > 0 })),
    );
    const connected = paths.filter(({ on }) => on).map(({ path }) => path);
    const [from, ...rest] = connected;
    const to = rest.pop();
    const chains =
      from === undefined || to === undefined
        ? []
        : [
            {
              name: 'c',
              from,
              through: rest,
              to,
              address: '10.99.0.1',
              protocol: 'udp' as const,
              ports: [53],
              latencyMaxMs: 9,
            },
          ];
    const balancers = [{ name: 'b', unit: paths[0]!.path, address: '10.99.0.2', port: 80, targetPort: 8080, layer }];
    const networks = [
      { name: 'lan', prefix: '10.1.0.0/16' },
      { name: 'n2', prefix: '10.2.0.0/16', ...(mtu === undefined ? {} : { mtu }) },
    ];
    return {
      block: {
        kind: 'service',
        name: 'demo',
        description,
        ports: [],
        children: functions,
        links: [],
        requirements: {},
      },
      version,
      networks,
      chains,
      balancers,
      policies: [
        {
          name: 'p1',
          claim: { kind: layer === 'tcp' ? 'reach' : 'deny', from: ['lan'], to: ['n2', 'lan'], packet: 'tcp' },
        },
        { name: 'p2', description, claim: { kind: 'check', from: [paths[0]!.path], formula: 'AG not dropped' } },
      ],
    };
  });
