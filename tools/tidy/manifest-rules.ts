import type { Finding, Project } from './project.ts';

interface Manifest {
  readonly name?: string;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/;

function readManifest(project: Project, folder: string): Manifest {
  return JSON.parse(project.read(folder === '' ? 'package.json' : `${folder}/package.json`)) as Manifest;
}

function dependenciesOf(manifest: Manifest): readonly (readonly [string, string])[] {
  return [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((list) =>
    Object.entries(list ?? {}),
  );
}

/** Every room has a name, a purpose and a content, and what it exports is there. */
export function rooms(project: Project): readonly Finding[] {
  const findings: Finding[] = [];
  for (const workspace of project.workspaces) {
    const manifest = readManifest(project, workspace);
    const [folder, room] = workspace.split('/') as [string, string];
    const name = `@superfluidity/${folder === 'drivers' ? `driver-${room}` : room}`;
    if (manifest.name !== name) findings.push(`${workspace}/package.json: the name is ${name}`);
    if (!manifest.description) findings.push(`${workspace}/package.json: no description`);
    if (manifest.license !== 'Apache-2.0') findings.push(`${workspace}/package.json: the license is Apache-2.0`);
    if (manifest.type !== 'module') findings.push(`${workspace}/package.json: the type is module`);
    for (const entry of Object.values({ ...manifest.exports, ...manifest.bin })) {
      const file = `${workspace}/${entry.replace(/^\.\//, '')}`;
      if (!project.files.includes(file)) findings.push(`${workspace}/package.json: ${entry} does not exist`);
    }
    if (!project.files.some((file) => file.startsWith(`${workspace}/`) && /\.tsx?$/.test(file)))
      findings.push(`${workspace}: an empty room`);
  }
  return findings;
}

/** Exact versions, each dependency with its sentence in docs/dependencies.md, and no sentence for what is gone. */
export function dependencies(project: Project): readonly Finding[] {
  const findings: Finding[] = [];
  const used = new Set<string>();
  for (const folder of ['', ...project.workspaces]) {
    for (const [name, version] of dependenciesOf(readManifest(project, folder))) {
      if (!EXACT.test(version)) findings.push(`${folder}/package.json: ${name} has no exact version: ${version}`);
      if (!name.startsWith('@superfluidity/')) used.add(name);
    }
  }
  const page = 'docs/dependencies.md';
  const described = new Set([...project.read(page).matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name!));
  for (const name of used) if (!described.has(name)) findings.push(`${page}: nothing is said about ${name}`);
  for (const name of described) if (!used.has(name)) findings.push(`${page}: ${name} is not used any more`);
  return findings;
}
