import { isIP } from 'node:net';
import { z } from 'zod';

/** The Container Network Interface, as its specification 1.1 has it: https://www.cni.dev/docs/spec */

/** As the executable says when it is asked for VERSION. */
export const VERSIONS = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof VERSIONS)[number];

export const isAtLeast = (version: CniVersion, than: CniVersion): boolean =>
  VERSIONS.indexOf(version) >= VERSIONS.indexOf(than);

const VERBS = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION'] as const;
export type Verb = (typeof VERBS)[number];

/** Section 5, "Error". From 100 on they are ours. */
export const CODES = {
  version: 1,
  unknownContainer: 3,
  environment: 4,
  io: 5,
  decode: 6,
  configuration: 7,
  again: 11,
  unavailable: 50,
  limited: 51,
  /** Plugging failed for a reason that trying again may not mend. */
  plug: 100,
  /** CHECK: it is not as it was made. */
  changed: 101,
  /** The networks of node and pod do not fit together in how large a packet may be. */
  mtu: 102,
} as const;
export type CniCode = (typeof CODES)[keyof typeof CODES];

/** A refusal in the words of the specification. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: CniCode;
  readonly details: string | undefined;

  constructor(code: CniCode, message: string, details?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** Section 1: of networks and of containers. */
const identifier = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/)
  .max(253);
/** Of Linux: what fits, is no path and says nothing to shells. */
const interfaceName = z.string().regex(/^(?!\.{1,2}$)[^/:\s\0]{1,15}$/);
const label = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const text = z.string().max(4_096);
const address = z.string().refine((value) => {
  const [ip = '', length = ''] = value.split('/');
  const family = isIP(ip);
  return family !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}, 'not an address with the length of its prefix');

const interfaceResult = z.looseObject({
  name: text,
  mac: text.optional(),
  mtu: z.number().optional(),
  sandbox: text.optional(),
});
const ipResult = z.looseObject({
  address,
  gateway: text.optional(),
  /** Index in interfaces. */
  interface: z.int().min(0).max(1_000).optional(),
});
const routeResult = z.looseObject({ dst: text, gw: text.optional() });
const dnsResult = z.looseObject({
  nameservers: z.array(text).max(64).optional(),
  domain: text.optional(),
  search: z.array(text).max(64).optional(),
  options: z.array(text).max(64).optional(),
});

const resultSchema = z.looseObject({
  cniVersion: text.optional(),
  interfaces: z.array(interfaceResult).max(256).optional(),
  ips: z.array(ipResult).max(256).optional(),
  routes: z.array(routeResult).max(4_096).optional(),
  dns: dnsResult.optional(),
});
export type CniResult = z.infer<typeof resultSchema>;
export type InterfaceResult = z.infer<typeof interfaceResult>;
export type IpResult = z.infer<typeof ipResult>;

const attachment = z.looseObject({ containerID: identifier, ifname: interfaceName });

/** What is on standard input. What is not read here belongs to others, or to versions that come. */
const configurationSchema = z.looseObject({
  cniVersion: z.string().max(32),
  name: identifier.optional(),
  type: text.optional(),
  dns: dnsResult.optional(),
  prevResult: resultSchema.optional(),
  'cni.dev/valid-attachments': z.array(attachment).max(100_000).optional(),
  /** The name that this had in drafts. */
  'cni.dev/attachments': z.array(attachment).max(100_000).optional(),
});
export interface Configuration {
  readonly cniVersion: CniVersion;
  /** Of the network. Empty where the verb needs none. */
  readonly name: string;
  readonly dns?: z.infer<typeof dnsResult>;
  readonly prevResult?: CniResult;
  /** With GC: what is still in use. */
  readonly valid?: readonly { readonly containerID: string; readonly ifname: string }[];
}

/** What is in the environment, by verb: section 2, "Parameters". */
const environment = {
  container: identifier.max(128),
  netns: z.string().regex(/^\/[^\0]{1,4095}$/),
  interface: interfaceName,
} as const;

export interface Request {
  readonly verb: Verb;
  /** Absent with STATUS, GC and VERSION. */
  readonly container?: string;
  readonly interface?: string;
  /** Absent with DEL where the container is gone. */
  readonly netns?: string;
  readonly pod?: PodRef;
  readonly configuration: Configuration;
}

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  /** Absent from runtimes that do not tell it. */
  readonly uid?: string;
}

/** Throws `CniError`. */
export function parseRequest(variables: ReadonlyMap<string, string>, input: string): Request {
  const verb = VERBS.find((one) => one === variables.get('CNI_COMMAND'));
  if (verb === undefined) throw new CniError(CODES.environment, 'CNI_COMMAND is none of the specification');
  const configuration = parseConfiguration(input, verb);
  if (verb === 'STATUS' || verb === 'GC' || verb === 'VERSION') return { verb, configuration };
  const variable = (name: string, schema: z.ZodType<string>, mayBeAbsent = false): string | undefined => {
    const value = variables.get(name) ?? '';
    if (value === '' && mayBeAbsent) return undefined;
    if (schema.safeParse(value).success) return value;
    throw new CniError(CODES.environment, `${name} is ${value === '' ? 'not set' : 'not usable'}`);
  };
  const container = variable('CNI_CONTAINERID', environment.container)!;
  const name = variable('CNI_IFNAME', environment.interface)!;
  const netns = variable('CNI_NETNS', environment.netns, verb === 'DEL');
  // The attachment names what is to be checked or removed, whatever else a runtime says or does not say.
  const pod = verb === 'ADD' ? podIn(variables.get('CNI_ARGS') ?? '') : undefined;
  return {
    verb,
    container,
    interface: name,
    configuration,
    ...(netns === undefined ? {} : { netns }),
    ...(pod === undefined ? {} : { pod }),
  };
}

function parseConfiguration(input: string, verb: Verb): Configuration {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (cause) {
    throw new CniError(CODES.decode, 'the configuration is not JSON', undefined, cause);
  }
  const parsed = configurationSchema.safeParse(value);
  if (!parsed.success)
    throw new CniError(CODES.configuration, 'the configuration is not usable', z.prettifyError(parsed.error));
  const { cniVersion, name } = parsed.data;
  const version = VERSIONS.find((one) => one === cniVersion);
  const since = { ADD: '0.3.0', DEL: '0.3.0', VERSION: '0.3.0', CHECK: '0.4.0', STATUS: '1.1.0', GC: '1.1.0' } as const;
  if (version === undefined || !isAtLeast(version, since[verb])) {
    const known = VERSIONS.filter((one) => isAtLeast(one, since[verb])).join(', ');
    throw new CniError(
      CODES.version,
      `${verb} is not there in this version`,
      `asked for ${cniVersion}, known: ${known}`,
    );
  }
  if (name === undefined && verb !== 'VERSION' && verb !== 'STATUS')
    throw new CniError(CODES.configuration, 'the configuration has no name of the network');
  const { dns, prevResult } = parsed.data;
  const valid = parsed.data['cni.dev/valid-attachments'] ?? parsed.data['cni.dev/attachments'];
  return {
    cniVersion: version,
    name: name ?? '',
    ...(dns === undefined ? {} : { dns }),
    ...(prevResult === undefined ? {} : { prevResult }),
    ...(valid === undefined ? {} : { valid }),
  };
}

/** Section 2: `CNI_ARGS` is `KEY=VALUE;KEY=VALUE`. The kubelet says there which pod it is. */
function podIn(args: string): PodRef {
  const values = new Map(
    args
      .split(';')
      .filter((part) => part !== '')
      .map((part) => {
        const at = part.indexOf('=');
        if (at <= 0) throw new CniError(CODES.environment, 'CNI_ARGS is not a list of KEY=VALUE');
        return [part.slice(0, at), part.slice(at + 1)] as const;
      }),
  );
  const [namespace, name, uid] = ['NAMESPACE', 'NAME', 'UID'].map((key) => values.get(`K8S_POD_${key}`) ?? '');
  if (!label.test(namespace!) || !label.test(name!))
    throw new CniError(
      CODES.environment,
      'CNI_ARGS has no K8S_POD_NAMESPACE and K8S_POD_NAME of a pod',
      JSON.stringify(args).slice(0, 500),
    );
  if (uid !== '' && !/^[A-Za-z0-9-]{1,64}$/.test(uid!))
    throw new CniError(CODES.environment, 'CNI_ARGS has no usable K8S_POD_UID');
  return { namespace: namespace!, name: name!, ...(uid === '' ? {} : { uid: uid! }) };
}
