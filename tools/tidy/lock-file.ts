/**
 * The lock file names the packages of all platforms. A registry that has only those of one makes npm leave the others
 * out, and `npm ci` then refuses a lock file that npm itself wrote. The entries that are added carry no hash.
 */
import type { Finding, Project } from './project.ts';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, Locked>>;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];

/** Entries for packages of other platforms that the lock file lacks. They are named `...SYSTEM-PROCESSOR[-ABI]`. */
export function lackingPlatforms({ packages }: LockFile): Readonly<Record<string, object>> {
  const entries = Object.entries(packages).flatMap(([path, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
      .map(([name, version]) => {
        const words = name.slice(name.indexOf('/') + 1).split('-');
        const [os, cpu, abi] = words.slice(words.findIndex((word) => SYSTEMS.includes(word)));
        if (!SYSTEMS.includes(os!) || cpu === undefined) throw new Error(`no platform in the name ${name}`);
        const entry = {
          version,
          cpu: [cpu],
          ...(parent.dev ? { dev: true } : {}),
          ...(os === 'linux' && abi !== undefined ? { libc: [abi.startsWith('musl') ? 'musl' : 'glibc'] } : {}),
          optional: true,
          os: [os],
        };
        return [`node_modules/${name}`, entry] as const;
      }),
  );
  return Object.fromEntries(entries);
}

export function completeLockFile<T extends LockFile>(lock: T): T {
  const packages = Object.entries({ ...lock.packages, ...lackingPlatforms(lock) });
  return { ...lock, packages: Object.fromEntries(packages.toSorted(([a], [b]) => a.localeCompare(b, 'en'))) };
}

/** It holds for every registry: versions and hashes, no addresses; and for every platform. */
export function lockFile(project: Project): readonly Finding[] {
  const text = project.read('package-lock.json');
  const lacking = Object.keys(lackingPlatforms(JSON.parse(text) as LockFile));
  return [
    ...(/"resolved": "https?:/.test(text)
      ? ['package-lock.json: holds download addresses; set omit-lockfile-registry-resolved and make it again']
      : []),
    ...(lacking.length > 0 ? [`package-lock.json: lacks ${lacking.join(', ')}; run \`npm run manifests\``] : []),
  ];
}
