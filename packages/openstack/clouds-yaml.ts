import { SuperfluidityError } from '@superfluidity/core';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CloudConfig, Credentials, Named } from './credentials.ts';
import './errors.ts';
import { LIMITS } from './limits.ts';

/**
 * The files of openstacksdk: https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html. What is read is
 * turned into the same fields as OS_* variables.
 */

const text = z.union([z.string(), z.number()]).transform(String);

const auth = z.looseObject({
  auth_url: text.optional(),
  username: text.optional(),
  user_id: text.optional(),
  user_domain_id: text.optional(),
  user_domain_name: text.optional(),
  password: text.optional(),
  project_id: text.optional(),
  project_name: text.optional(),
  project_domain_id: text.optional(),
  project_domain_name: text.optional(),
  /** Older names of the project. */
  tenant_id: text.optional(),
  tenant_name: text.optional(),
  /** Of user and project at once. */
  domain_id: text.optional(),
  domain_name: text.optional(),
  application_credential_id: text.optional(),
  application_credential_name: text.optional(),
  application_credential_secret: text.optional(),
});
export type AuthFields = z.infer<typeof auth>;

const region = z.union([text, z.looseObject({ name: text, values: z.record(z.string(), z.unknown()).optional() })]);

const cloud = z.looseObject({
  auth: auth.default({}),
  auth_type: text.optional(),
  region_name: text.optional(),
  regions: z.array(region).optional(),
  interface: text.optional(),
  endpoint_type: text.optional(),
  cacert: text.optional(),
  cert: text.optional(),
  verify: z.boolean().optional(),
  insecure: z.boolean().optional(),
  default_domain: text.optional(),
  identity_api_version: text.optional(),
  profile: text.optional(),
  cloud: text.optional(),
});
export type CloudFields = z.infer<typeof cloud>;

const file = z.object({ clouds: z.record(z.string(), z.looseObject({})).default({}) });

/** The description of a cloud, with the file of its authority not read yet. */
export interface FoundCloud {
  readonly config: CloudConfig;
  readonly caCertFile?: string;
}

export interface CloudsYaml {
  /** Of clouds.yaml. */
  readonly clouds: string;
  /** Of secure.yaml: passwords, kept in a file of their own. */
  readonly secure?: string;
}

/** Names and regions of the clouds that a file describes. A cloud with one region or with none has no list. */
export function listClouds(
  files: CloudsYaml,
): readonly { readonly name: string; readonly regions: readonly string[] }[] {
  return Object.entries(cloudsOf(files)).map(([name, fields]) => ({
    name,
    regions: (checked(name, fields).regions ?? []).map((one) => (typeof one === 'string' ? one : one.name)),
  }));
}

export function cloudFromYaml(files: CloudsYaml, name: string, regionName?: string): FoundCloud {
  const clouds = cloudsOf(files);
  const found = Object.hasOwn(clouds, name) ? clouds[name] : undefined;
  if (found === undefined) {
    const known = Object.keys(clouds).toSorted().join(', ');
    throw unusable(name, known === '' ? 'clouds.yaml has no clouds' : `clouds.yaml has no such cloud, but ${known}`);
  }
  const fields = checked(name, found);
  const inRegion = checked(name, merged(found, regionFields(name, fields, regionName)));
  if (fields.profile !== undefined || fields.cloud !== undefined)
    throw unusable(
      name,
      'profiles of vendors are not read: write auth_url and what else the profile has into the cloud',
    );
  return fromFields(name, inRegion);
}

/** From fields as clouds.yaml and OS_* variables name them. */
export function fromFields(name: string, fields: CloudFields): FoundCloud {
  if (fields.cert !== undefined) throw unusable(name, 'client certificates are not supported');
  const { interface: face = fields.endpoint_type, region_name: regionName } = fields;
  const caCertFile = fields.cacert;
  const verify = fields.verify ?? (fields.insecure === true ? false : undefined);
  const endpoints = Object.entries(fields).flatMap(([key, value]) => {
    const type = /^(.+)_endpoint_override$/.exec(key)?.[1];
    return type !== undefined && typeof value === 'string' ? [[type.replaceAll('_', '-'), value] as const] : [];
  });
  return {
    config: {
      authUrl: authUrlOf(name, fields),
      credentials: credentialsOf(name, fields),
      ...(regionName === undefined ? {} : { region: regionName }),
      ...(face === undefined ? {} : { interface: interfaceOf(name, face) }),
      ...(verify === undefined ? {} : { verify }),
      ...(endpoints.length === 0 ? {} : { endpoints: Object.fromEntries(endpoints) }),
    },
    ...(caCertFile === undefined ? {} : { caCertFile }),
  };
}

function cloudsOf({ clouds, secure }: CloudsYaml): Readonly<Record<string, Fields>> {
  const open = read('clouds.yaml', clouds);
  return secure === undefined ? open : (merged(open, read('secure.yaml', secure)) as Record<string, Fields>);
}

type Fields = Readonly<Record<string, unknown>>;

function read(what: string, source: string): Readonly<Record<string, Fields>> {
  if (source.length > LIMITS.configCharacters)
    throw unusable(what, `the file has more than ${LIMITS.configCharacters} characters`);
  let value: unknown;
  try {
    value = parse(source, { maxAliasCount: LIMITS.configAliases, logLevel: 'error' });
  } catch (error) {
    // The parser quotes the line, and that may have a password in it.
    const line = (error as { readonly linePos?: readonly { readonly line: number }[] }).linePos?.[0]?.line;
    throw unusable(what, line === undefined ? 'this is not YAML' : `this is not YAML, in line ${line}`);
  }
  const parsed = file.safeParse(value ?? {});
  if (!parsed.success) throw unusable(what, z.prettifyError(parsed.error));
  return parsed.data.clouds;
}

function checked(name: string, fields: Fields): CloudFields {
  const parsed = cloud.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw unusable(name, z.prettifyError(parsed.error));
}

function regionFields(name: string, { regions, region_name: set }: CloudFields, wanted = set): Fields {
  if (regions === undefined || regions.length === 0) return wanted === undefined ? {} : { region_name: wanted };
  const names = regions.map((one) => (typeof one === 'string' ? one : one.name));
  if (wanted === undefined && names.length > 1) throw unusable(name, `name one of its regions: ${names.join(', ')}`);
  const chosen = wanted ?? names[0]!;
  const found = regions[names.indexOf(chosen)];
  if (found === undefined) throw unusable(name, `it has no region ${chosen}, but ${names.join(', ')}`);
  return { ...(typeof found === 'string' ? {} : found.values), region_name: chosen };
}

/** Maps are merged; of all else the second wins. */
function merged(first: Fields, second: Fields): Fields {
  const keys = Object.keys(second).filter((key) => key !== '__proto__');
  return {
    ...first,
    ...Object.fromEntries(
      keys.map((key) => {
        const [old, young] = [first[key], second[key]];
        return [key, isMap(old) && isMap(young) ? merged(old, young) : young];
      }),
    ),
  };
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function authUrlOf(name: string, { auth: { auth_url: given }, identity_api_version: version }: CloudFields): string {
  if (given === undefined) throw unusable(name, 'there is no auth_url');
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) throw unusable(name, 'auth_url is no http or https address');
  if (url.username !== '' || url.password !== '') throw unusable(name, 'auth_url has a user or password in it');
  const path = url.pathname.replace(/\/+$/, '');
  if (/\/v2(?:\.0)?$/.test(path) || version?.startsWith('2') === true)
    throw unusable(name, 'version 2 of Keystone is not supported: clouds have version 3 since 2013');
  return `${url.origin}${path.endsWith('/v3') ? path : `${path}/v3`}`;
}

function interfaceOf(name: string, given: string): NonNullable<CloudConfig['interface']> {
  const face = given.replace(/URL$/, '');
  if (face === 'public' || face === 'internal' || face === 'admin') return face;
  throw unusable(name, `interface is public, internal or admin, not ${given}`);
}

const AUTH_TYPES = ['password', 'v3password', 'v3applicationcredential', 'v3application_credential'];

function credentialsOf(
  name: string,
  { auth: fields, auth_type: type, default_domain: domain }: CloudFields,
): Credentials {
  if (type !== undefined && !AUTH_TYPES.includes(type))
    throw unusable(name, `auth_type ${type} is not supported: use ${AUTH_TYPES.slice(1, 3).join(' or ')}`);
  const need = <T>(value: T | undefined, what: string): T => {
    if (value === undefined || value === '') throw unusable(name, `there is no ${what}`);
    return value;
  };
  const user = () =>
    need(
      named(fields.user_id, fields.username, {
        id: fields.user_domain_id ?? fields.domain_id,
        name: fields.user_domain_name ?? fields.domain_name,
        otherwise: domain,
      }),
      'username or user_id',
    );
  const { application_credential_id: id, application_credential_name: called } = fields;
  if (type?.startsWith('v3app') === true || (type === undefined && (id ?? called) !== undefined)) {
    const secret = need(fields.application_credential_secret, 'application_credential_secret');
    if (id !== undefined) return { kind: 'application', id, secret };
    const appName = need(called, 'application_credential_id or application_credential_name');
    return { kind: 'application', name: appName, user: user(), secret };
  }
  const project = named(fields.project_id ?? fields.tenant_id, fields.project_name ?? fields.tenant_name, {
    id: fields.project_domain_id ?? fields.domain_id,
    name: fields.project_domain_name ?? fields.domain_name,
    otherwise: domain,
  });
  return {
    kind: 'password',
    user: user(),
    password: need(fields.password, 'password'),
    project: need(project, 'project_name or project_id'),
  };
}

interface Domain {
  readonly id: string | undefined;
  readonly name: string | undefined;
  /** An id; that of Keystone's first domain is `default`. */
  readonly otherwise: string | undefined;
}

function named(id: string | undefined, name: string | undefined, domain: Domain): Named | undefined {
  if (id !== undefined && id !== '') return { id };
  if (name === undefined || name === '') return undefined;
  if (domain.id !== undefined) return { name, domain: { id: domain.id } };
  return { name, domain: domain.name === undefined ? { id: domain.otherwise ?? 'default' } : { name: domain.name } };
}

export function unusable(cloudName: string, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-OPENSTACK-CONFIG', { doing: `read the description of cloud ${cloudName}`, reason });
}
