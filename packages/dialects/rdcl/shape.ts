import { z } from 'zod';

/**
 * The parts of RDCL 3D's network service and VNF descriptors that are read: the information elements of ETSI GS
 * NFV-IFA 011 and 014 v2 in JSON, with nested VDUs of D6.1 annex B2. Templates leave identifiers empty or null.
 */
const id = z.string().max(256).nullish();
const words = z.string().max(4_096).nullish();
const list = <T extends z.ZodType>(item: T) => z.array(item).max(1_000).nullish();
const amount = z.number().min(0).max(1e9).nullish();

export const nsdShape = z.looseObject({
  nsdIdentifier: id,
  nsdName: words,
  version: z.string().max(256).nullish(),
  virtualLinkDesc: list(z.looseObject({ virtualLinkDescId: id })),
  nsDf: list(
    z.looseObject({
      vnfProfile: list(
        z.looseObject({
          vnfdId: id,
          nsVirtualLinkConnectivity: list(z.looseObject({ virtualLinkProfileId: id, cpdId: list(id) })),
        }),
      ),
      virtualLinkProfile: list(z.looseObject({ virtualLinkProfileId: id, virtualLinkDescId: id })),
    }),
  ),
});

const intCpd = z.looseObject({ cpdId: id, intVirtualLinkDesc: id, internalIfRef: words });
const swImage = z.looseObject({
  swImage: words,
  supportedVirtualisationEnvironment: list(words),
});
const vdu = z.looseObject({
  vduId: id,
  description: words,
  intCpd: list(intCpd),
  swImageDesc: z.union([swImage, z.string().max(4_096)]).nullish(),
  virtualComputeDesc: id,
  virtualStorageDesc: id,
  vduNestedDesc: id,
  vduParent: id,
  vduParentMandatory: z.union([z.boolean(), z.string().max(16)]).nullish(),
});

export const vnfdShape = z.looseObject({
  vnfdId: id,
  vdu: z.array(vdu).max(1_000),
  vnfExtCpd: list(
    z.looseObject({
      cpdId: id,
      intVirtualLinkDesc: id,
      intCpd: z.union([z.string().max(256), z.looseObject({ cpdId: id })]).nullish(),
    }),
  ),
  virtualComputeDesc: list(
    z.looseObject({
      virtualComputeDescId: id,
      virtualCpu: z.looseObject({ numVirtualCpu: amount }).nullish(),
      virtualMemory: z.looseObject({ virtualMemSize: amount.describe('MB') }).nullish(),
    }),
  ),
  virtualStorageDesc: list(z.looseObject({ id, sizeOfStorage: amount.describe('GB') })),
  vduNestedDesc: list(z.looseObject({ id, vduNestedDescriptorType: id, vduNestedDescriptor: id })),
  deploymentFlavour: list(
    z.looseObject({
      vduProfile: list(
        z.looseObject({
          vduId: id,
          minNumberOfInstances: z.int().min(0).max(1e6).nullish(),
          maxNumberOfInstances: z.int().min(0).max(1e6).nullish(),
        }),
      ),
    }),
  ),
  modifiableAttributes: z
    .looseObject({ metadata: z.union([list(z.looseObject({})), z.looseObject({})]).nullish() })
    .nullish(),
});

export const verticesShape = z.record(z.string().max(256), z.looseObject({ x: z.number(), y: z.number() }));

export type Nsd = z.infer<typeof nsdShape>;
export type Vnfd = z.infer<typeof vnfdShape>;
export type Vdu = z.infer<typeof vdu>;
