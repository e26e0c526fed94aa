import { z } from 'zod';

/**
 * The information model of OSM up to release 8 (`vnfd:vnfd-catalog`, `nsd:nsd-catalog`), as far as the model has a notion of
 * it. What else a descriptor says is carried.
 */
const text = z.union([z.string().max(4096), z.number().transform((value) => String(value))], 'must be text');
const id = z.union(
  [z.string().min(1, 'must not be empty').max(256), z.number().transform((value) => String(value))],
  'must be a name',
);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(10_000).exactOptional();
const amount = z.union([
  z.number().min(0),
  z
    .string()
    .regex(/^\d{1,12}(\.\d+)?$/, 'must be a number')
    .transform(Number),
]);
/** `1.0` is a number in YAML. */
const version = z.union(
  [
    z.string().min(1).max(256),
    z.number().transform((value) => (Number.isInteger(value) ? value.toFixed(1) : String(value))),
  ],
  'must be text',
);

const interfaceShape = z.looseObject({
  name: id,
  position: z.int().exactOptional(),
  type: z.string().exactOptional(),
  'mac-address': z.string().exactOptional(),
  'virtual-interface': z.looseObject({ bandwidth: amount.exactOptional() }).exactOptional(),
  'external-connection-point-ref': id.exactOptional(),
  'internal-connection-point-ref': id.exactOptional(),
  /** The same before release 3. */
  'vnfd-connection-point-ref': id.exactOptional(),
  'vdu-internal-connection-point-ref': id.exactOptional(),
});

const vduShape = z.looseObject({
  id,
  description: z.string().max(4096).exactOptional(),
  count: z.int().min(0).max(1_000_000).exactOptional(),
  'vm-flavor': z
    .looseObject({
      'vcpu-count': amount.exactOptional(),
      'memory-mb': amount.exactOptional(),
      'storage-gb': amount.exactOptional(),
    })
    .exactOptional(),
  image: text.exactOptional(),
  interface: list(interfaceShape),
  'external-interface': list(interfaceShape),
  'internal-interface': list(interfaceShape),
});

export const ipProfiles = list(
  z.looseObject({
    name: id,
    'ip-profile-params': z.looseObject({ 'subnet-address': z.string().exactOptional() }).exactOptional(),
  }),
);

export const scalingGroups = list(
  z.looseObject({
    name: id,
    'min-instance-count': z.int().min(0).exactOptional(),
    'max-instance-count': z.int().min(0).exactOptional(),
    vdu: list(z.looseObject({ 'vdu-id-ref': id, count: z.int().min(0).exactOptional() })),
  }),
);

export const vnfdShape = z.looseObject({
  id,
  description: z.string().max(4096).exactOptional(),
  version: version.exactOptional(),
  vdu: list(vduShape),
  kdu: list(z.looseObject({ name: id, description: z.string().max(4096).exactOptional() })),
  'connection-point': list(z.looseObject({ name: id })),
  'internal-vld': list(
    z.looseObject({
      id,
      'ip-profile-ref': id.exactOptional(),
      'internal-connection-point': list(z.looseObject({ 'id-ref': id })),
    }),
  ),
  'ip-profiles': ipProfiles,
  'scaling-group-descriptor': scalingGroups,
});

export const vldShape = z.looseObject({
  id,
  'ip-profile-ref': id.exactOptional(),
  'vnfd-connection-point-ref': list(
    z.looseObject({
      'member-vnf-index-ref': id,
      'vnfd-connection-point-ref': id,
      'ip-address': z.string().exactOptional(),
    }),
  ),
});

export const classifierShape = z.looseObject({
  id,
  'rsp-id-ref': id,
  'member-vnf-index-ref': id,
  'vnfd-connection-point-ref': id,
  'match-attributes': list(
    z.looseObject({
      'ip-proto': z.union([z.int(), z.string()]).exactOptional(),
      'destination-ip-address': z.string().exactOptional(),
      'destination-port': z.union([z.int(), z.string()]).exactOptional(),
    }),
  ),
});

const graphShape = z.looseObject({
  id,
  rsp: list(
    z.looseObject({
      id,
      'vnfd-connection-point-ref': list(
        z.looseObject({
          'member-vnf-index-ref': id,
          order: z.int().exactOptional(),
          'vnfd-ingress-connection-point-ref': id.exactOptional(),
          'vnfd-egress-connection-point-ref': id.exactOptional(),
          'vnfd-connection-point-ref': id.exactOptional(),
        }),
      ),
    }),
  ),
  classifier: list(classifierShape),
});

export const nsdShape = z.looseObject({
  id,
  description: z.string().max(4096).exactOptional(),
  version: version.exactOptional(),
  'constituent-vnfd': z.array(z.looseObject({ 'member-vnf-index': id, 'vnfd-id-ref': id })).max(10_000),
  vld: list(vldShape),
  'ip-profiles': ipProfiles,
  vnffgd: list(graphShape),
  'vnf-dependency': list(z.looseObject({ 'vnf-source-ref': id, 'vnf-depends-on-ref': id })),
});

/** Files of catalogues, for editors. */
export const catalogueFile = z.union([
  z.looseObject({ 'vnfd:vnfd-catalog': z.looseObject({ vnfd: z.array(vnfdShape).min(1) }) }),
  z.looseObject({ 'nsd:nsd-catalog': z.looseObject({ nsd: z.array(nsdShape).min(1) }) }),
]);

export type Vnfd = z.infer<typeof vnfdShape>;
export type Vdu = z.infer<typeof vduShape>;
export type Interface = z.infer<typeof interfaceShape>;
export type Nsd = z.infer<typeof nsdShape>;
export type Classifier = NonNullable<z.infer<typeof graphShape>['classifier']>[number];
