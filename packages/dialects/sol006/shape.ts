import { z } from 'zod';
import { policiesShape } from '../native/schema.ts';

/**
 * The parts of ETSI GS NFV-SOL 006 v3.6.1 (YANG modules etsi-nfv-nsd, etsi-nfv-vnfd) that the model has a notion of, with
 * the attributes of nested VDUs (D6.1 annex B2, tables 8 and 9) and policies as an augmentation; see `superfluidity-nfv.yang`. What else a
 * descriptor says is carried. Some shapes are wider than the modules: OSM and people write numbers for text, one for several.
 */
const text = (max: number) =>
  z.union([z.string().max(max), z.number().transform((value) => String(value))], 'must be text');
const id = z.union(
  [z.string().min(1, 'must not be empty').max(256), z.number().transform((value) => String(value))],
  'must be a name',
);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(10_000).exactOptional();
/** Text in the JSON of YANG (RFC 7951, clause 6.1); people write numbers. */
const decimal = z.union([z.number().min(0), z.string().regex(/^\d{1,15}(\.\d+)?$/, 'must be a decimal number')]);
const count = z.int().min(0).max(1_000_000);
/** `1.0` is a number in YAML. */
const version = z.union(
  [
    z.string().min(1).max(256),
    z.number().transform((value) => (Number.isInteger(value) ? value.toFixed(1) : String(value))),
  ],
  'must be text',
);

const protocol = z.looseObject({
  'address-data': list(
    z.looseObject({
      'l3-address-data': z.looseObject({ 'fixed-ip-address': z.string().exactOptional() }).exactOptional(),
    }),
  ),
});

export const intCpdShape = z.looseObject({
  id,
  'int-virtual-link-desc': id.exactOptional(),
  internalIfRef: z.string().max(256).exactOptional(),
  'bitrate-requirement': decimal.exactOptional(),
  'security-group-rule-id': id.exactOptional(),
  protocol: list(protocol),
  'virtual-network-interface-requirement': list(z.looseObject({ name: text(256).exactOptional() })),
});

export const vduShape = z.looseObject({
  id,
  description: z.string().max(4096).exactOptional(),
  'int-cpd': list(intCpdShape),
  'virtual-compute-desc': id.exactOptional(),
  'virtual-storage-desc': z.union([id, z.array(id).max(1_000)]).exactOptional(),
  'sw-image-desc': id.exactOptional(),
  vduNestedDesc: z.string().max(1024).exactOptional(),
  vduNestedDescType: z.string().max(64).exactOptional(),
  vduParent: id.exactOptional(),
  vduParentMandatory: z.boolean().exactOptional(),
});

/** A Kubernetes deployment unit of OSM. */
export const kduShape = z.looseObject({
  name: id,
  description: z.string().max(4096).exactOptional(),
  service: list(z.looseObject({ name: id, 'external-connection-point-ref': id.exactOptional() })),
});

const affinityGroup = z.looseObject({
  id,
  affinityorAntiaffinity: z.string().max(64).exactOptional(),
  /** The same in OSM. */
  type: z.string().max(64).exactOptional(),
  scope: z.string().max(64).exactOptional(),
});
const groupIds = list(z.union([id, z.looseObject({ id })]));

/** One in the YANG modules, a list in the information model (ETSI GS NFV-IFA 014, clause 6.3.4.2). */
const linkProtocol = z.looseObject({
  'l2-protocol-data': z.looseObject({ mtu: z.int().exactOptional() }).exactOptional(),
  'l3-protocol-data': z.looseObject({ cidr: z.string().exactOptional() }).exactOptional(),
});
const linkProtocols = z.union([linkProtocol, z.array(linkProtocol).max(100)]).exactOptional();

export const vnfDfShape = z.looseObject({
  id: id.exactOptional(),
  'vdu-profile': list(
    z.looseObject({
      id,
      'min-number-of-instances': count.exactOptional(),
      'max-number-of-instances': count.exactOptional(),
      'affinity-or-anti-affinity-group-id': groupIds,
      'affinity-or-anti-affinity-group': groupIds,
    }),
  ),
  'virtual-link-profile': list(z.looseObject({ id, 'virtual-link-protocol-data': linkProtocols })),
  'instantiation-level': list(
    z.looseObject({
      id,
      'vdu-level': list(z.looseObject({ 'vdu-id': id, 'number-of-instances': count.exactOptional() })),
      'scaling-info': list(z.looseObject({ 'scaling-aspect-id': id, 'scale-level': count.exactOptional() })),
    }),
  ),
  'default-instantiation-level': id.exactOptional(),
  'affinity-or-anti-affinity-group': list(affinityGroup),
  'scaling-aspect': list(
    z.looseObject({
      id: id.exactOptional(),
      name: id.exactOptional(),
      'max-scale-level': count.exactOptional(),
      'aspect-delta-details': z
        .looseObject({
          deltas: list(
            z.looseObject({
              id,
              'vdu-delta': list(z.looseObject({ id, 'number-of-instances': count.exactOptional() })),
            }),
          ),
          'step-deltas': z.union([id, z.array(id).max(1_000)]).exactOptional(),
        })
        .exactOptional(),
    }),
  ),
  dependencies: list(z.looseObject({ 'primary-id': id.exactOptional(), 'secondary-id': id.exactOptional() })),
});

/** What several VDUs of a VNFD may use. */
const pools = {
  'virtual-compute-desc': list(
    z.looseObject({
      id,
      'virtual-memory': z.looseObject({ size: decimal.exactOptional() }).exactOptional(),
      'virtual-cpu': z.looseObject({ 'num-virtual-cpu': decimal.exactOptional() }).exactOptional(),
      'virtual-disk': list(z.looseObject({ 'size-of-storage': decimal.exactOptional() })),
    }),
  ),
  'virtual-storage-desc': list(
    z.looseObject({
      id,
      'block-storage-data': z.looseObject({ 'size-of-storage': decimal.exactOptional() }).exactOptional(),
      /** As OSM has it. */
      'size-of-storage': decimal.exactOptional(),
    }),
  ),
  'sw-image-desc': list(
    z.looseObject({
      id,
      name: text(1024).exactOptional(),
      'container-format': z.string().exactOptional(),
      image: text(4096).exactOptional(),
    }),
  ),
  'security-group-rule': list(
    z.looseObject({
      id,
      direction: z.string().exactOptional(),
      'ether-type': z.string().exactOptional(),
      protocol: z.string().exactOptional(),
      'port-range-min': count.exactOptional(),
      'port-range-max': count.exactOptional(),
    }),
  ),
  'int-virtual-link-desc': list(z.looseObject({ id })),
  'ext-cpd': list(
    z.looseObject({
      id,
      'int-virtual-link-desc': id.exactOptional(),
      'int-cpd': z.looseObject({ 'vdu-id': id, cpd: id }).exactOptional(),
      'k8s-cluster-net': id.exactOptional(),
      'security-group-rule-id': id.exactOptional(),
    }),
  ),
  df: z.array(vnfDfShape).max(100).exactOptional(),
};

/** Of what is carried of a VNFD, what is understood again when it is written. */
export const poolsShape = z.looseObject(pools);

export const vnfdShape = z.looseObject({
  id,
  version: version.exactOptional(),
  'product-info-description': z.string().max(4096).exactOptional(),
  /** As OSM has it. */
  description: z.string().max(4096).exactOptional(),
  vdu: list(vduShape),
  kdu: list(kduShape),
  ...pools,
  'modifiable-attributes': z.looseObject({ metadata: list(z.string().max(65_536)) }).exactOptional(),
});

export const connectivityShape = list(
  z.looseObject({
    'virtual-link-profile-id': id,
    'constituent-cpd-id': list(
      z.looseObject({
        'constituent-base-element-id': id.exactOptional(),
        'constituent-cpd-id': id.exactOptional(),
        /** As OSM has it. */
        'ip-address': z.string().exactOptional(),
      }),
    ),
  }),
);

export const vnfProfileShape = z.looseObject({
  id,
  'vnfd-id': id,
  'flavour-id': id.exactOptional(),
  'instantiation-level': id.exactOptional(),
  'min-number-of-instances': count.exactOptional(),
  'affinity-or-anti-affinity-group-id': groupIds,
  'virtual-link-connectivity': connectivityShape,
});

export const linkProfilesShape = z.array(
  z.looseObject({ id, 'virtual-link-desc-id': id, 'virtual-link-protocol-data': linkProtocols }),
);

const positionElement = z.looseObject({
  id,
  desc: z
    .looseObject({
      'vnf-profile': z.looseObject({ 'vnf-profile-id': id.exactOptional() }).exactOptional(),
      vnf: z.looseObject({ 'cpd-id': id.exactOptional() }).exactOptional(),
    })
    .exactOptional(),
  /** As OSM has it. */
  'constituent-profile-elements': list(
    z.looseObject({
      order: z.int().exactOptional(),
      'constituent-base-element-id': id.exactOptional(),
      'ingress-constituent-cpd-id': id.exactOptional(),
      'egress-constituent-cpd-id': id.exactOptional(),
    }),
  ),
});

const pathPosition = z.looseObject({
  id: id.exactOptional(),
  'nfp-position-element-id': z.union([id, z.array(id)]).exactOptional(),
});

export const graphShape = z.looseObject({
  id,
  'nfp-position-element': list(positionElement),
  nfpd: list(
    z.looseObject({
      id,
      rule: z.string().max(4096).exactOptional(),
      'position-desc': list(pathPosition),
      /** As OSM has it. */
      'position-desc-id': list(
        pathPosition.extend({
          'match-attributes': list(
            z.looseObject({
              'ip-proto': z.union([z.int(), z.string()]).exactOptional(),
              'destination-ip-address': z.string().exactOptional(),
              'destination-port': z.union([z.int(), z.string()]).exactOptional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

export const nsDfShape = z.looseObject({
  id: id.exactOptional(),
  'vnf-profile': list(vnfProfileShape),
  'virtual-link-profile': linkProfilesShape.max(10_000).exactOptional(),
  'affinity-or-anti-affinity-group': list(affinityGroup),
  dependencies: list(
    z.looseObject({ 'primary-vnf-profile': id.exactOptional(), 'secondary-vnf-profile': id.exactOptional() }),
  ),
});

export const nsdShape = z.looseObject({
  id,
  version: version.exactOptional(),
  name: text(4096).exactOptional(),
  /** As OSM has it. */
  description: z.string().max(4096).exactOptional(),
  'virtual-link-desc': list(z.looseObject({ id })),
  vnffgd: list(graphShape),
  df: z.array(nsDfShape).min(1).max(100),
  policy: policiesShape.exactOptional(),
});

/** Files of SOL006 and of OSM, for editors. */
export const sol006File = z.looseObject({
  'etsi-nfv-descriptors:nfv': z
    .looseObject({ nsd: list(nsdShape), vnfd: list(vnfdShape) })
    .describe('Module etsi-nfv-descriptors of ETSI GS NFV-SOL 006'),
});
export const osmFile = z.union([
  z.looseObject({ vnfd: vnfdShape }),
  z.looseObject({ nsd: z.looseObject({ nsd: z.array(nsdShape).min(1).max(1) }) }),
]);

export type Nsd = z.infer<typeof nsdShape>;
export type NsDf = z.infer<typeof nsDfShape>;
export type Vnfd = z.infer<typeof vnfdShape>;
export type VnfDf = z.infer<typeof vnfDfShape>;
export type Pools = z.infer<typeof poolsShape>;
export type Vdu = z.infer<typeof vduShape>;
export type Kdu = z.infer<typeof kduShape>;
export type IntCpd = z.infer<typeof intCpdShape>;
export type VnfProfile = z.infer<typeof vnfProfileShape>;
export type LinkProfiles = z.infer<typeof linkProfilesShape>;
export type Graph = z.infer<typeof graphShape>;
export type ForwardingPath = NonNullable<Graph['nfpd']>[number];
