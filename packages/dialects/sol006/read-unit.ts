import { append } from '@superfluidity/core';
import { z } from 'zod';
import type { DescriptorFile } from '../files.ts';
import { unitFragmentShape, type NativePort, type NativeUnit, type NativeUnitFragment } from '../native/schema.ts';
import { Names } from '../names.ts';
import { readShape, type JsonSchema } from '../shape.ts';
import { shorten, yamlOf, type Path } from '../yaml-text.ts';
import { fixedAddressOf, type Attachment, type Attachments } from './connectivity.ts';
import { NESTED_TYPE } from './mapping.ts';
import { allowOf, plainOf } from './meaning.ts';
import type { Found, Reporter } from './package.ts';
import type { IntCpd, Vdu, Vnfd } from './shape.ts';
import type { Style } from './style.ts';

/** Longer names of ports are no names of interfaces (Linux: IFNAMSIZ). */
const INTERFACE_MAX = 15;

export interface VnfdSource {
  readonly found: Found;
  readonly vnfd: Vnfd;
}

/** How the VDU is run: from its nested descriptor, else from its image and what it asks of virtual machines. */
export function fragmentOf(
  vdu: Vdu,
  at: Path,
  { found, vnfd }: VnfdSource,
  style: Style,
  files: readonly DescriptorFile[],
  reporter: Reporter,
): NativeUnitFragment {
  const nothing: NativeUnitFragment = { environment: 'vm' };
  const { vduNestedDesc: reference, vduNestedDescType: type } = vdu;
  const { requirements, ...plain } = plainOf(vdu, vnfd, style);
  const asked = requirements === undefined ? {} : { requirements };
  if (reference === undefined) return { ...plain, ...asked };
  const field = [...at, 'vduNestedDesc'];
  if (type === undefined) {
    reporter.report('SF-DESCRIPTOR-MISSING', found, field, "'vduNestedDescType' is missing beside 'vduNestedDesc'");
    return nothing;
  }
  if (type === 'kubernetes')
    return { environment: 'pod', nested: { descriptor: reference, descriptorType: type }, ...asked };
  if (type !== NESTED_TYPE && type !== 'click' && type !== 'nft') {
    const message = `nested descriptors of type '${shorten(type)}' are not supported`;
    reporter.report('SF-DESCRIPTOR-UNSUPPORTED', found, [...at, 'vduNestedDescType'], message);
    return nothing;
  }
  const file = fileOf(reference, found.file, files);
  if (file === undefined) {
    const message = `there is no file '${shorten(reference)}' in the package`;
    reporter.report('SF-DESCRIPTOR-REFERENCE', found, field, message);
    return nothing;
  }
  if (type !== NESTED_TYPE)
    return { environment: type, program: new TextDecoder().decode(file.bytes), forwards: true, ...asked };
  const shape = readShape(yamlOf(file), unitFragmentShape, fragmentSchema);
  if ('value' in shape) return shape.value;
  append(reporter.problems, shape.problems);
  return nothing;
}

const fragmentSchema = z.toJSONSchema(unitFragmentShape, { io: 'input' }) as JsonSchema;

/** Relative to the VNFD, or to the root of the package. */
function fileOf(reference: string, from: string, files: readonly DescriptorFile[]): DescriptorFile | undefined {
  const folder = from.includes('/') ? from.slice(0, from.lastIndexOf('/') + 1) : '';
  const at = (path: string) => files.find((file) => file.path === path);
  return at(folder + reference) ?? at(reference);
}

type LongPort = Exclude<NativePort, string>;

/** The connection points of a VDU as ports. `networkOf` names the network of the model to which one is attached. */
export function portsOf(
  vdu: Vdu,
  { vnfd }: VnfdSource,
  style: Style,
  attached: Attachments,
  networkOf: (at: Attachment, internal: string | undefined) => string | undefined,
): readonly LongPort[] {
  const names = new Names();
  return (vdu['int-cpd'] ?? []).map((cpd, i): LongPort => {
    const name = names.fresh(cpd.id);
    const internal = cpd['int-virtual-link-desc'];
    const at = attached.point(vdu.id, cpd.id, internal);
    const network = networkOf(at, internal);
    const inside = interfaceOf(cpd, style, name, i);
    const address = network === undefined ? undefined : (fixedAddressOf(cpd) ?? at.address);
    const bitrate = cpd['bitrate-requirement'];
    const allow = ruleFor(cpd, at, vnfd);
    return {
      name,
      ...(network === undefined ? {} : { network }),
      ...(address === undefined ? {} : { address }),
      ...(inside === undefined ? {} : { internalIf: inside }),
      ...(allow === undefined
        ? {}
        : {
            allow: allow.map((rule) => ({
              ...rule,
              ...(rule.ports === undefined ? {} : { ports: [...rule.ports] }),
            })) as NonNullable<LongPort['allow']>,
          }),
      ...(bitrate === undefined ? {} : { bandwidthMbps: Number(bitrate) / 1e6 }),
    };
  });
}

/** What may come in: by the rule of the connection point, else of the external one behind which it is. */
export function ruleFor(
  cpd: Pick<IntCpd, 'security-group-rule-id'>,
  { external }: Attachment,
  pools: Pick<Vnfd, 'security-group-rule' | 'ext-cpd'>,
): ReturnType<typeof allowOf> {
  const outer = pools['ext-cpd']?.find(
    (ext) => external.includes(ext.id) && ext['security-group-rule-id'] !== undefined,
  );
  const id = cpd['security-group-rule-id'] ?? outer?.['security-group-rule-id'];
  return id === undefined ? undefined : allowOf(pools['security-group-rule']?.find((rule) => rule.id === id));
}

/** The name of the interface inside, where it is not that of the port. */
export function interfaceOf(
  cpd: Pick<IntCpd, 'internalIfRef' | 'virtual-network-interface-requirement'>,
  style: Style,
  port: string,
  index: number,
): string | undefined {
  const required = style === 'osm' ? cpd['virtual-network-interface-requirement']?.[0]?.name : undefined;
  const inside = cpd.internalIfRef ?? (required !== undefined && isInterface(required) ? required : undefined);
  if (inside !== undefined) return inside === port ? undefined : inside;
  return port.length > INTERFACE_MAX ? `eth${index}` : undefined;
}

const isInterface = (name: string) => name.length <= INTERFACE_MAX && /^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(name);

/** In which unit it runs. */
export function nestingOf(vdu: Vdu, pathOf: (vdu: string) => string): NonNullable<NativeUnit['nested']> | undefined {
  if (vdu.vduParent === undefined) return vdu.vduParentMandatory === true ? { parentMandatory: true } : undefined;
  const parent = vdu.vduParent.toLowerCase() === 'none' ? 'none' : pathOf(vdu.vduParent);
  return { parent, ...(vdu.vduParentMandatory === undefined ? {} : { parentMandatory: vdu.vduParentMandatory }) };
}
