import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { run } from '../../../../lab/command.ts';
import { busyboxRoot, writeImages } from '../../../../lab/kubernetes/images.ts';
import { type Lab, nodesOf } from '../../../../lab/kubernetes/lab.ts';
import { buildExecutable } from '../../cni/executable/build.ts';
import { EXECUTABLE } from '../pods.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** As in the Containerfile. */
const APP = 'opt/superfluidity';

/** Of the daemon, for Services and policies. */
const PROGRAMS = ['/usr/sbin/nft', '/usr/sbin/conntrack'];

interface Package {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The image that apps/kuryr/Containerfile describes, of what this machine has: there is no registry. Node and the libraries that
 * it needs lie where they lie here, over a shell.
 */
export async function buildKuryrImage(archive: string, name: string): Promise<void> {
  const config = {
    Entrypoint: ['/usr/local/bin/node', `/${APP}/apps/kuryr/main.ts`],
    Env: ['PATH=/usr/local/bin:/bin:/usr/sbin'],
    WorkingDir: '/',
  };
  await writeImages(archive, fill, [{ name, config }]);
}

/** That image on all nodes of the laboratory, until it is disposed of. */
export async function loadKuryrImage(lab: Lab, archive: string, name: string): Promise<AsyncDisposable> {
  await buildKuryrImage(archive, name);
  const images = (address: string, ...args: readonly string[]) =>
    run(['ctr', '--address', address, '--namespace', 'k8s.io', 'images', ...args]);
  const list = async (address: string) => (await images(address, 'list', '--quiet')).trim().split('\n');
  const known = new Map<string, ReadonlySet<string>>();
  for (const { containerd } of nodesOf(lab)) {
    known.set(containerd, new Set(await list(containerd)));
    await images(containerd, 'import', archive);
  }
  return {
    async [Symbol.asyncDispose]() {
      // Runtimes know it by its digest too.
      for (const [containerd, before] of known)
        await images(containerd, 'rm', ...(await list(containerd)).filter((one) => !before.has(one)));
    },
  };
}

async function fill(root: string): Promise<void> {
  await nodeRoot(root, PROGRAMS);
  symlinkSync('../run', join(root, 'var/run'));
  for (const path of packagesOf('apps/kuryr'))
    cpSync(join(ROOT, path), join(root, APP, path), {
      recursive: true,
      filter: (source) => !relative(join(ROOT, path), source).split('/').includes('node_modules'),
    });
  mkdirSync(join(root, APP, 'node_modules/@superfluidity'), { recursive: true });
  for (const path of packagesOf('apps/kuryr').filter((one) => !one.startsWith('node_modules/'))) {
    const { name } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as { readonly name: string };
    symlinkSync(join('../..', path), join(root, APP, 'node_modules', name));
  }
}

/** Node, the executable of the plugin and further programs, over a shell. */
export async function nodeRoot(root: string, programs: readonly string[]): Promise<void> {
  await busyboxRoot(root);
  copy(process.execPath, join(root, 'usr/local/bin/node'));
  for (const program of programs) copy(program, join(root, program));
  const { stdout } = await promisify(execFile)('ldd', [process.execPath, ...programs]);
  for (const [, path] of stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)) copy(path!, join(root, path!));
  await buildExecutable(join(root, EXECUTABLE));
}

const copy = (from: string, to: string) => {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
};

/** Files of the project in it, as paths in the image. */
export function filesOfImage(): readonly string[] {
  return packagesOf('apps/kuryr')
    .filter((path) => !path.startsWith('node_modules/'))
    .flatMap((path) => globSync(`${path}/**/*`, { cwd: ROOT, exclude: (name) => name === 'node_modules' }))
    .filter((path) => statSync(join(ROOT, path)).isFile())
    .map((path) => `/${APP}/${path}`);
}

/** All that a workspace needs, as paths in the project: what `npm ci --omit=dev --workspace` installs. */
function packagesOf(start: string): readonly string[] {
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(ROOT, path, 'package.json'), 'utf8'),
    ) as Package;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = placeOf(name, path);
      // Optional ones of other platforms are not installed.
      if (place !== undefined) visit(place);
    }
  };
  visit(start);
  return [...found];
}

/** As Node looks for it, from a folder upwards. */
function placeOf(name: string, from: string): string | undefined {
  if (name.startsWith('@superfluidity/')) {
    const short = name.slice('@superfluidity/'.length);
    const driver = /^driver-(.+)$/.exec(short)?.[1];
    return driver === undefined ? `packages/${short}` : `drivers/${driver}`;
  }
  for (let folder = from; ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(ROOT, place, 'package.json'))) return place;
    if (folder === '.') return undefined;
  }
}
