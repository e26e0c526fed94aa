import { z } from 'zod';

/**
 * The parts of an application descriptor that are read: ETSI GS MEC 010-2 v2.1.1, clause 6.2.1.2, with the types that it
 * takes from ETSI GS NFV-IFA 011. What else a descriptor says is carried.
 */
const name = z.string().min(1).max(256);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(1_000).exactOptional();
const amount = z.number().min(0).max(1e9);

const serviceDependency = z.looseObject({ serName: name, version: z.string().max(256).exactOptional() });

const swImage = z.looseObject({
  id: name.exactOptional(),
  name: name.exactOptional(),
  version: z.string().max(256).exactOptional(),
  containerFormat: z.string().max(64).exactOptional(),
  swImage: z.string().max(4_096).exactOptional(),
});

const virtualCompute = z.looseObject({
  virtualCpu: z.looseObject({ numVirtualCpu: amount }).exactOptional(),
  virtualMemory: z.looseObject({ virtualMemSize: amount.describe('MB') }).exactOptional(),
});

const storage = z.looseObject({ sizeOfStorage: amount.describe('GB').exactOptional() });

/** The OpenAPI of MEC 010-2 leaves the types of NFV open, as text: a reference to a descriptor of the package. */
const orReference = <T extends z.ZodType>(type: T) => z.union([type, z.string().max(4_096)]);

export const appdShape = z.looseObject({
  appDId: name,
  appName: name,
  appDVersion: z.string().min(1).max(256),
  appSoftVersion: z.string().max(256).exactOptional(),
  appDescription: z.string().max(4_096).exactOptional(),
  virtualComputeDescriptor: orReference(virtualCompute),
  swImageDescriptor: orReference(swImage),
  virtualStorageDescriptor: list(orReference(storage)),
  appExtCpd: list(
    z.looseObject({
      inherited_attributes: z.looseObject({
        cpdId: name.exactOptional(),
        description: z.string().max(4_096).exactOptional(),
      }),
    }),
  ),
  appServiceRequired: list(serviceDependency),
  appServiceOptional: list(serviceDependency),
  appLatency: z.looseObject({ maxLatency: z.int().min(0).describe('Nanoseconds, one way') }).exactOptional(),
});

/** A file of it: alone, or below the name that packages give it. */
export const appdFileShape = z.union([z.looseObject({ appD: appdShape }), appdShape]);

export type AppD = z.infer<typeof appdShape>;
