import { z } from 'zod';
import { policiesShape } from '../native/schema.ts';

/**
 * The parts of ETSI GS NFV-SOL 006 v3.6.1 (YANG modules etsi-nfv-nsd, etsi-nfv-vnfd) that are read, with the attributes of
 * nested VDUs (D6.1 annex B2, tables 8 and 9) and policies as an augmentation; see `superfluidity-nfv.yang`. What else a descriptor says
 * is left alone: other orchestrators may need it.
 */
const id = z.string().min(1).max(256);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(10_000).exactOptional();
/** Text in the JSON of YANG (RFC 7951, clause 6.1); people write numbers. */
const decimal64 = z.union([z.number().min(0), z.string().regex(/^\d{1,9}(\.\d+)?$/, 'must be a decimal number')]);
const count = z.int().min(0).max(100_000);

const intCpd = z.looseObject({
  id,
  'int-virtual-link-desc': id.exactOptional(),
  internalIfRef: z.string().max(256).exactOptional(),
  protocol: list(
    z.looseObject({
      'address-data': list(
        z.looseObject({
          'l3-address-data': z.looseObject({ 'fixed-ip-address': z.string().exactOptional() }).exactOptional(),
        }),
      ),
    }),
  ),
});

export const vduShape = z.looseObject({
  id,
  description: z.string().max(4096).exactOptional(),
  'int-cpd': list(intCpd),
  'virtual-compute-desc': id.exactOptional(),
  'sw-image-desc': id.exactOptional(),
  vduNestedDesc: z.string().max(1024).exactOptional(),
  vduNestedDescType: z.string().max(64).exactOptional(),
  vduParent: id.exactOptional(),
  vduParentMandatory: z.boolean().exactOptional(),
});

const vnfDf = z.looseObject({
  id,
  'vdu-profile': list(
    z.looseObject({
      id,
      'min-number-of-instances': count.exactOptional(),
      'max-number-of-instances': count.exactOptional(),
    }),
  ),
  'instantiation-level': list(
    z.looseObject({ id, 'vdu-level': list(z.looseObject({ 'vdu-id': id, 'number-of-instances': count })) }),
  ),
  'default-instantiation-level': id.exactOptional(),
  dependencies: list(z.looseObject({ 'primary-id': id, 'secondary-id': id })),
});

export const vnfdShape = z.looseObject({
  id,
  'product-info-description': z.string().max(4096).exactOptional(),
  vdu: z.array(vduShape).min(1).max(10_000),
  'virtual-compute-desc': list(
    z.looseObject({
      id,
      'virtual-memory': z.looseObject({ size: decimal64 }).exactOptional(),
      'virtual-cpu': z.looseObject({ 'num-virtual-cpu': z.number().min(0) }).exactOptional(),
    }),
  ),
  'sw-image-desc': list(
    z.looseObject({ id, 'container-format': z.string().exactOptional(), image: z.string().exactOptional() }),
  ),
  'ext-cpd': list(
    z.looseObject({
      id,
      'int-virtual-link-desc': id.exactOptional(),
      'int-cpd': z.looseObject({ 'vdu-id': id, cpd: id }).exactOptional(),
    }),
  ),
  df: z.array(vnfDf).min(1).max(100),
  'modifiable-attributes': z.looseObject({ metadata: list(z.string().max(65_536)) }).exactOptional(),
});

const positionElement = z.looseObject({
  id,
  desc: z.looseObject({
    'vnf-profile': z.looseObject({ 'vnf-profile-id': id }),
    vnf: z.looseObject({ 'cpd-id': id }).exactOptional(),
  }),
});

/** One in the YANG modules, a list in the information model (ETSI GS NFV-IFA 014, clause 6.3.4.2). */
const linkProtocol = z.looseObject({
  'l2-protocol-data': z.looseObject({ mtu: z.int().exactOptional() }).exactOptional(),
  'l3-protocol-data': z.looseObject({ cidr: z.string().exactOptional() }).exactOptional(),
});

export const nsdShape = z.looseObject({
  id,
  version: z.string().min(1).max(256),
  name: z.string().max(4096).exactOptional(),
  policy: policiesShape.exactOptional(),
  'virtual-link-desc': list(z.looseObject({ id })),
  vnffgd: list(
    z.looseObject({
      id,
      'nfp-position-element': list(positionElement),
      nfpd: list(
        z.looseObject({
          id,
          rule: z.string().max(4096),
          'position-desc': list(z.looseObject({ id, 'nfp-position-element-id': list(id) })),
        }),
      ),
    }),
  ),
  df: z
    .array(
      z.looseObject({
        id,
        'vnf-profile': list(
          z.looseObject({
            id,
            'vnfd-id': id,
            'flavour-id': id.exactOptional(),
            'virtual-link-connectivity': list(
              z.looseObject({
                'virtual-link-profile-id': id,
                'constituent-cpd-id': list(z.looseObject({ 'constituent-cpd-id': id })),
              }),
            ),
          }),
        ),
        'virtual-link-profile': list(
          z.looseObject({
            id,
            'virtual-link-desc-id': id,
            'virtual-link-protocol-data': z.union([linkProtocol, z.array(linkProtocol).max(100)]).exactOptional(),
          }),
        ),
      }),
    )
    .min(1)
    .max(100),
});

export type Nsd = z.infer<typeof nsdShape>;
export type Vnfd = z.infer<typeof vnfdShape>;
export type Vdu = Vnfd['vdu'][number];
