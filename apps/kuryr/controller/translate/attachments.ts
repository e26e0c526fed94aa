import { SuperfluidityError } from '@superfluidity/core';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';
import { PLUGIN } from '../../api/plugin.ts';
import { CLOUD_ID } from '../cloud-id.ts';
import '../errors.ts';
import { LIMITS } from '../limits.ts';

/**
 * Networks that a pod asks for beside that of the cluster, and what it is told of them: Kubernetes Network Custom Resource Definition
 * De-facto Standard 1.3, of the Network Plumbing Working Group.
 */
export const NETWORKS_ANNOTATION = 'k8s.v1.cni.cncf.io/networks';
export const NETWORK_STATUS_ANNOTATION = 'k8s.v1.cni.cncf.io/network-status';
/** As configurations of the plugin call the network that all pods are in, unless they are told otherwise. */
const DEFAULT_NETWORK = 'kuryr';

/** One interface that is asked for. */
export interface AttachmentRequest {
  /** Of the NetworkAttachmentDefinition. */
  readonly namespace: string;
  readonly name: string;
  /** In the pod. */
  readonly interface: string;
}

const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
/** Of Linux, without what means something to shells or in paths. */
const INTERFACE = /^[A-Za-z][A-Za-z0-9._-]{0,14}$/;
/** Each pod has them in any case. */
const TAKEN = ['lo', 'eth0'];

/** Others ask for what a port cannot be given: addresses of their own choice, rates, forwarded ports, another default route. */
const element = z.strictObject({
  name: z.string(),
  namespace: z.string().optional(),
  interface: z.string().optional(),
  /** The client in Go writes it wherever it is not set. */
  'cni-args': z.null().optional(),
});

/** What the annotation of a pod in the namespace says (clause 4.1 of the standard). Throws `SF-KURYR-ANNOTATION`. */
export function readAttachments(text: string, ownNamespace: string): readonly AttachmentRequest[] {
  if (text.length > LIMITS.attachmentCharacters)
    throw refused(`has ${text.length} characters, of which ${LIMITS.attachmentCharacters} are read`);
  if (text.trim() === '') return [];
  const said = /^\s*[[{"]/.test(text) ? listed(text) : text.split(',').map(short);
  if (said.length > LIMITS.attachments)
    throw refused(`asks for ${said.length} interfaces, of which a pod can have ${LIMITS.attachments}`);
  const all = said.map(({ name, namespace = ownNamespace, interface: device }, at) => {
    if (!NAMESPACE.test(namespace) || !NAME.test(name))
      throw refused(`names ${quoted(`${namespace}/${name}`)}, which is no NAMESPACE/NAME of an object`);
    const inside = device ?? `net${at + 1}`;
    if (!INTERFACE.test(inside) || TAKEN.includes(inside))
      throw refused(`asks for an interface ${quoted(inside)}, which is none that a pod can have`);
    return { namespace, name, interface: inside };
  });
  const names = all.map((one) => one.interface);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw refused(`asks for two interfaces ${twice}`);
  return all;
}

type Said = Pick<z.infer<typeof element>, 'name' | 'namespace' | 'interface'>;

function listed(text: string): readonly Said[] {
  const parsed = z.array(element).safeParse(json(text));
  if (parsed.success) return parsed.data;
  throw refused(`is no list of name, namespace and interface: ${firstIssue(parsed.error)}`);
}

/** `NAMESPACE/NAME@INTERFACE`, of which the name alone is needed. */
function short(text: string): Said {
  const [network = '', device, ...more] = text.trim().split('@');
  const [first = '', second, ...parts] = network.split('/');
  if (more.length > 0 || parts.length > 0) throw refused(`says ${quoted(text)} instead of NAMESPACE/NAME@INTERFACE`);
  return {
    ...(second === undefined ? { name: first } : { namespace: first, name: second }),
    ...(device === undefined ? {} : { interface: device }),
  };
}

const ours = z.strictObject({
  cniVersion: z.string().optional(),
  name: z.string().optional(),
  type: z.literal(PLUGIN),
  subnet: z.string().regex(CLOUD_ID).optional(),
  cidr: z
    .string()
    .regex(/^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/)
    .optional(),
});

/** Where interfaces of a NetworkAttachmentDefinition are. */
export type AttachedNetwork =
  /** A subnet of Neutron, by id. */
  | { readonly kind: 'cloud'; readonly subnet: string }
  /** A prefix of the built-in fabric. */
  | { readonly kind: 'linux'; readonly cidr: string };

/** `spec.config` of a NetworkAttachmentDefinition: a configuration of the plugin, or a list of one. Throws `SF-KURYR-ATTACHMENT`. */
export function readDefinition(key: string, config: unknown): AttachedNetwork {
  const refuse = (reason: string) =>
    new SuperfluidityError('SF-KURYR-ATTACHMENT', { doing: `read NetworkAttachmentDefinition ${key}`, reason });
  if (typeof config !== 'string') throw refuse('it has no spec.config: configurations in files of nodes are not read');
  if (config.length > LIMITS.attachmentCharacters)
    throw refuse(`spec.config has more than ${LIMITS.attachmentCharacters} characters`);
  const said = json(config);
  const plugins = (said as { readonly plugins?: unknown } | null | undefined)?.plugins;
  if (Array.isArray(plugins) && plugins.length !== 1)
    throw refuse(`spec.config has ${plugins.length} plugins, and ${PLUGIN} alone is known here`);
  const parsed = ours.safeParse(Array.isArray(plugins) ? (plugins as readonly unknown[])[0] : said);
  if (!parsed.success) throw refuse(`spec.config is no configuration of ${PLUGIN}: ${firstIssue(parsed.error)}`);
  const { subnet, cidr } = parsed.data;
  if (subnet !== undefined && cidr === undefined) return { kind: 'cloud', subnet };
  if (cidr !== undefined && subnet === undefined) return { kind: 'linux', cidr };
  throw refuse('spec.config says either `subnet`, of a cloud, or `cidr`, of the built-in fabric');
}

/** The text of the annotation of clause 4.1.2 ("status"): the network of the cluster first. Undefined: there is nothing to tell. */
export function networkStatus(interfaces: Readonly<Record<string, PodInterface>>): string | undefined {
  const all = Object.entries(interfaces).toSorted(
    ([one, { isDefault: first }], [other, { isDefault: second }]) =>
      Number(second) - Number(first) || (one < other ? -1 : 1),
  );
  if (all.every(([, { network }]) => network === undefined)) return undefined;
  return JSON.stringify(
    all.map(([name, { network = DEFAULT_NETWORK, addresses, mac, isDefault }]) => ({
      name: network,
      interface: name,
      ips: addresses.map((one) => one.split('/')[0]),
      mac,
      ...(isDefault ? { default: true } : {}),
      dns: {},
    })),
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** One is enough, where there may be thousands. */
function firstIssue({ issues: [first] }: z.ZodError): string {
  return first === undefined ? '' : quoted([...first.path.map(String), first.message].join(' '));
}

const QUOTED_CHARACTERS = 120;
const quoted = (text: string): string => JSON.stringify(text.slice(0, QUOTED_CHARACTERS));

function refused(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-KURYR-ANNOTATION', {
    doing: 'find the networks of a pod',
    reason: `its annotation ${NETWORKS_ANNOTATION} ${reason}`,
  });
}
