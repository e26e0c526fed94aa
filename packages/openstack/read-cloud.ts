import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import {
  type CloudFields,
  cloudFromYaml,
  type CloudsYaml,
  type FoundCloud,
  fromFields,
  unusable,
} from './clouds-yaml.ts';
import type { CloudConfig } from './credentials.ts';
import { LIMITS } from './limits.ts';

export interface Wanted {
  /** Of clouds.yaml. Absent: `OS_CLOUD`, or what the OS_* variables describe. */
  readonly name?: string;
  readonly region?: string;
}

/** Where descriptions of clouds come from. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly home: string;
}

export const ourSurroundings = (): Surroundings => ({
  env: process.env,
  workingFolder: process.cwd(),
  home: homedir(),
});

/** A cloud of clouds.yaml by its name, or the one that the OS_* variables describe. */
export async function readCloud(wanted: Wanted, where: Surroundings = ourSurroundings()): Promise<CloudConfig> {
  const name = wanted.name ?? where.env['OS_CLOUD'];
  if (name === undefined || name === '') {
    const { region } = wanted;
    const found = cloudFromEnvironment({ ...where.env, ...(region === undefined ? {} : { OS_REGION_NAME: region }) });
    return withAuthority('OS_*', found, where.workingFolder);
  }
  const files = await readCloudsYaml(where);
  const region = wanted.region ?? where.env['OS_REGION_NAME'];
  return withAuthority(name, cloudFromYaml(files, name, region), dirname(files.path));
}

/** The first clouds.yaml on the way that openstacksdk goes, and the first secure.yaml. */
export async function readCloudsYaml(where: Surroundings): Promise<CloudsYaml & { readonly path: string }> {
  const paths = pathsOf(where, 'clouds', 'OS_CLIENT_CONFIG_FILE');
  const path = await firstThere(paths);
  if (path === undefined) throw unusable('of clouds.yaml', `there is none of ${paths.join(', ')}`);
  const secure = await firstThere(pathsOf(where, 'secure', 'OS_CLIENT_SECURE_FILE'));
  return {
    path,
    clouds: await readBounded(path),
    ...(secure === undefined ? {} : { secure: await readBounded(secure) }),
  };
}

/** Of variables as `openstack rc` files set them. */
export function cloudFromEnvironment(env: Surroundings['env']): FoundCloud {
  const set = Object.entries(env).flatMap(([key, value]) =>
    key.startsWith('OS_') && value !== undefined && value !== ''
      ? [[key.slice('OS_'.length).toLowerCase(), value] as const]
      : [],
  );
  const { verify: _, insecure, ...fields } = Object.fromEntries(set);
  const isInsecure = insecure !== undefined && !['0', 'false', 'no'].includes(insecure.toLowerCase());
  return fromFields('OS_*', { ...fields, ...(isInsecure ? { verify: false } : {}), auth: fields } as CloudFields);
}

function pathsOf({ env, workingFolder, home }: Surroundings, name: string, variable: string): readonly string[] {
  const given = env[variable];
  if (given !== undefined && given !== '') return [resolve(workingFolder, given)];
  const config = env['XDG_CONFIG_HOME'] ?? join(home, '.config');
  return [workingFolder, join(config, 'openstack'), '/etc/openstack'].flatMap((folder) =>
    ['yaml', 'yml', 'json'].map((suffix) => join(folder, `${name}.${suffix}`)),
  );
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) return path;
  }
  return undefined;
}

async function readBounded(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > LIMITS.configCharacters) throw unusable(path, `the file has more than ${LIMITS.configCharacters} bytes`);
  return readFile(path, 'utf8');
}

async function withAuthority(name: string, { config, caCertFile }: FoundCloud, folder: string): Promise<CloudConfig> {
  if (caCertFile === undefined) return config;
  const path = resolve(folder, caCertFile.replace(/^~(?=\/)/, homedir()));
  try {
    return { ...config, caCert: await readBounded(path) };
  } catch (error) {
    throw unusable(name, `cacert ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
