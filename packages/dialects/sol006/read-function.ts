import { z } from 'zod';
import type { dialectErrors } from '../errors.ts';
import { requirementsShape, type NativeFunction, type NativeRequirements, type NativeUnit } from '../native/schema.ts';
import { Names } from '../names.ts';
import { readShape, type JsonSchema } from '../shape.ts';
import { readYamlText, shorten } from '../yaml-text.ts';
import { attachments, type Attachment, type Attachments, type LinkOf } from './connectivity.ts';
import { REQUIREMENTS_KEY } from './mapping.ts';
import { affinityOf, flavourOf, scaleOf, type Affinity } from './meaning.ts';
import { fragmentOf, nestingOf, portsOf, type VnfdSource } from './read-unit.ts';
import type { Reporter } from './package.ts';
import { checkScaling } from './scaling.ts';
import type { Kdu, NsDf, VnfDf, VnfProfile } from './shape.ts';
import type { DescriptorFile } from '../files.ts';
import type { Style } from './style.ts';

export interface FunctionContext {
  readonly style: Style;
  readonly files: readonly DescriptorFile[];
  readonly reporter: Reporter;
  readonly link: LinkOf;
  /** The network of a virtual link of the NSD. */
  readonly networkOf: (link: string) => string | undefined;
  /** The network that an internal virtual link becomes. */
  readonly internalNetwork: (fn: string, source: VnfdSource, link: string, df: VnfDf | undefined) => string;
}

/** A VNFD, as a profile of the NSD uses it, as a function. */
export function readFunction(
  name: string,
  source: VnfdSource,
  profile: VnfProfile | undefined,
  inherited: NativeRequirements,
  context: FunctionContext,
): { readonly fn: NativeFunction; readonly names: Names } {
  const { vnfd } = source;
  const { style, files, reporter } = context;
  const df = flavourOf(vnfd, profile?.['flavour-id']);
  const names = new Names();
  const pathOf = (id: string) => `${name}/${names.known(id) ?? id}`;
  for (const { id } of vnfd.vdu ?? []) names.label(id);
  const attached = attachments(vnfd['ext-cpd'], profile?.['virtual-link-connectivity'], context.link);
  const networkOf = (at: Attachment, internal: string | undefined) => {
    if (at.link !== undefined) return context.networkOf(at.link);
    return internal === undefined ? undefined : context.internalNetwork(name, source, internal, df);
  };
  const units = (vnfd.vdu ?? []).map((vdu, i): NativeUnit => {
    const fragment = fragmentOf(vdu, ['vdu', i], source, style, files, reporter);
    const { requirements: own, ...execution } = fragment;
    const nested = nestingOf(vdu, pathOf);
    const plain = vdu.vduNestedDesc === undefined;
    const requirements = withOrder(
      own,
      orderOf(df, vdu.id, pathOf),
      plain ? unitAffinity(df, vdu.id, pathOf, inherited) : [],
    );
    const scale = scaleOf(df, profile?.['instantiation-level'], vdu.id);
    return {
      name: names.label(vdu.id),
      ...(vdu.description === undefined ? {} : { description: vdu.description }),
      ...execution,
      ...(nested === undefined ? {} : { nested: { ...execution.nested, ...nested } }),
      ports: [...portsOf(vdu, source, style, attached, networkOf)],
      ...(requirements === undefined ? {} : { requirements }),
      ...(scale === undefined ? {} : { scale }),
    };
  });
  const pods = (vnfd.kdu ?? []).map((kdu) => podOf(kdu, names, source, attached, networkOf));
  checkFlavour(df, source, reporter);
  const description = vnfd['product-info-description'] ?? (style === 'osm' ? vnfd.description : undefined);
  const requirements = metadataRequirements(source, reporter) ?? inherited;
  const fn: NativeFunction = {
    name,
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
    units: [...units, ...pods],
  };
  return { fn, names };
}

/** What the flavour of a network service asks of a function: groups, and who comes first. */
export function profileRequirements(
  df: Pick<NsDf, 'affinity-or-anti-affinity-group' | 'dependencies' | 'vnf-profile'>,
  profile: string,
  nameOf: (profile: string) => string,
  unitsIn: (profile: string) => readonly string[],
): NativeRequirements {
  const affinity = affinityOf(profile, df['affinity-or-anti-affinity-group'], df['vnf-profile']).map((rule) => ({
    ...rule,
    with: rule.with.map(nameOf),
  }));
  const after = (df.dependencies ?? [])
    .filter((one) => one['secondary-vnf-profile'] === profile && one['primary-vnf-profile'] !== undefined)
    .flatMap((one) => unitsIn(one['primary-vnf-profile']!));
  return {
    ...(affinity.length === 0 ? {} : { affinity }),
    ...(after.length === 0 ? {} : { after: [...new Set(after)] }),
  };
}

/** Units after which a VDU starts. */
export function orderOf(df: VnfDf | undefined, vdu: string, pathOf: (id: string) => string): readonly string[] {
  const before = (df?.dependencies ?? []).filter((one) => one['secondary-id'] === vdu).map((one) => one['primary-id']);
  return [...new Set(before.flatMap((id) => (id === undefined ? [] : [pathOf(id)])))];
}

/** What the groups of its flavour ask of a VDU; what the function asks holds too, which a unit with rules does not inherit. */
export function unitAffinity(
  df: VnfDf | undefined,
  vdu: string,
  pathOf: (id: string) => string,
  inherited: NativeRequirements,
): Affinity {
  const own = affinityOf(vdu, df?.['affinity-or-anti-affinity-group'], df?.['vdu-profile']).map((rule) => ({
    ...rule,
    with: rule.with.map(pathOf),
  }));
  return own.length === 0 ? [] : [...own, ...(inherited.affinity ?? [])];
}

export function withOrder(
  own: NativeRequirements | undefined,
  after: readonly string[],
  affinity: Affinity,
): NativeRequirements | undefined {
  if (after.length === 0 && affinity.length === 0) return own;
  return {
    ...own,
    ...(after.length === 0 ? {} : { after: [...new Set([...(own?.after ?? []), ...after])] }),
    ...(affinity.length === 0 ? {} : { affinity }),
  };
}

/** A Kubernetes deployment unit. Its ports are the external connection points of its services, else all of the cluster's. */
function podOf(
  kdu: Kdu,
  names: Names,
  { vnfd }: VnfdSource,
  attached: Attachments,
  networkOf: (at: Attachment, internal: string | undefined) => string | undefined,
): NativeUnit {
  const name = names.fresh(kdu.name);
  const ports = new Names();
  return {
    name,
    ...(kdu.description === undefined ? {} : { description: kdu.description }),
    environment: 'pod',
    ports: kduPoints(kdu, vnfd.kdu ?? [], vnfd['ext-cpd']).map((point, i) => {
      const at = attached.external(point.external);
      const network = networkOf(at, undefined);
      const port = ports.fresh(point.name);
      return {
        name: port,
        ...(network === undefined ? {} : { network }),
        ...(network === undefined || at.address === undefined ? {} : { address: at.address }),
        ...(port.length > 15 ? { internalIf: `eth${i}` } : {}),
      };
    }),
  };
}

/**
 * External connection points of a KDU, with the name of the service that is reached there; where it names none, those of the
 * cluster that no other KDU names.
 */
export function kduPoints(
  kdu: Pick<Kdu, 'service'>,
  kdus: readonly Pick<Kdu, 'service'>[],
  externals: VnfdSource['vnfd']['ext-cpd'] = [],
): readonly { readonly name: string; readonly external: string }[] {
  const points = externals.filter((ext) => ext['k8s-cluster-net'] !== undefined).map(({ id }) => id);
  const named = (one: Pick<Kdu, 'service'>) =>
    (one.service ?? []).flatMap((service) => {
      const external = service['external-connection-point-ref'];
      return external !== undefined && points.includes(external) ? [{ name: service.name, external }] : [];
    });
  const own = named(kdu);
  if (own.length > 0) return own;
  const taken = new Set(kdus.flatMap(named).map(({ external }) => external));
  return points.filter((external) => !taken.has(external)).map((external) => ({ name: external, external }));
}

function checkFlavour(df: VnfDf | undefined, { vnfd, found }: VnfdSource, reporter: Reporter): void {
  if (df === undefined) return;
  const at = ['df', (vnfd.df ?? []).indexOf(df)];
  const vdus = new Set([...(vnfd.vdu ?? []).map(({ id }) => id), ...(vnfd.kdu ?? []).map(({ name }) => name)]);
  const known = (id: string | undefined, ...field: (string | number)[]) => {
    if (id === undefined || vdus.has(id)) return;
    reporter.report('SF-DESCRIPTOR-REFERENCE', found, [...at, ...field], `there is no VDU '${shorten(id)}'`);
  };
  df['vdu-profile']?.forEach(({ id }, i) => known(id, 'vdu-profile', i, 'id'));
  df.dependencies?.forEach((one, i) => {
    known(one['primary-id'], 'dependencies', i, 'primary-id');
    known(one['secondary-id'], 'dependencies', i, 'secondary-id');
  });
  for (const { path, message } of checkScaling(df))
    reporter.report('SF-DESCRIPTOR-SCALING', found, [...at, ...path], message);
}

const requirementsSchema = z.toJSONSchema(requirementsShape, { io: 'input' }) as JsonSchema;

function metadataRequirements({ vnfd, found }: VnfdSource, reporter: Reporter): NativeRequirements | undefined {
  const metadata = vnfd['modifiable-attributes']?.metadata ?? [];
  const i = metadata.findIndex((entry) => entry.startsWith(`${REQUIREMENTS_KEY}=`));
  if (i === -1) return undefined;
  const text = readYamlText(new TextEncoder().encode(metadata[i]!.slice(REQUIREMENTS_KEY.length + 1)));
  const shape = readShape(text, requirementsShape, requirementsSchema);
  if ('value' in shape) return shape.value;
  for (const { code, message } of shape.problems)
    reporter.report(code as keyof typeof dialectErrors, found, ['modifiable-attributes', 'metadata', i], message);
  return undefined;
}
