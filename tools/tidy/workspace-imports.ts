import type { Finding, Project } from './project.ts';

/** What a workspace imports of ours: by its own code, and by its tests only. */
export interface WorkspaceImports {
  readonly code: readonly string[];
  readonly tests: readonly string[];
}

const IMPORT =
  /^\s*(?:import|export)\b[^'"]*['"](@superfluidity\/[a-z0-9-]+)(?:\/[a-z0-9-]+)?['"]|^\} from ['"](@superfluidity\/[a-z0-9-]+)(?:\/[a-z0-9-]+)?['"]|\bimport\(['"](@superfluidity\/[a-z0-9-]+)/gm;
const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);

export function workspaceImports(project: Project, workspace: string): WorkspaceImports {
  const importedBy = (files: readonly string[]) =>
    new Set(
      files.flatMap((file) => [...project.read(file).matchAll(IMPORT)].map(([, ...names]) => names.find(Boolean)!)),
    );
  const own = (JSON.parse(project.read(`${workspace}/package.json`)) as { name: string }).name;
  const sources = project.files.filter((file) => file.startsWith(`${workspace}/`) && /\.tsx?$/.test(file));
  const code = importedBy(sources.filter((file) => !isTest(file)));
  const tests = new Set([...importedBy(sources.filter(isTest))].filter((name) => !code.has(name)));
  const sorted = (names: ReadonlySet<string>) => [...names].filter((name) => name !== own).toSorted();
  return { code: sorted(code), tests: sorted(tests) };
}

type Dependencies = Readonly<Record<string, string>>;

interface Manifest {
  readonly version: string;
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
}

/** The manifest with our own packages listed as they are imported; those of others stay as they are. */
export function withImports<T extends Manifest>(manifest: T, imports: WorkspaceImports): T {
  const list = (current: Dependencies | undefined, names: readonly string[]) => {
    const others = Object.entries(current ?? {}).filter(([name]) => !name.startsWith('@superfluidity/'));
    const entries = [...others, ...names.map((name) => [name, manifest.version] as const)];
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  };
  const { dependencies, devDependencies, ...rest } = manifest;
  const code = list(dependencies, imports.code);
  const tests = list(devDependencies, imports.tests);
  return {
    ...rest,
    ...(Object.keys(code).length === 0 ? {} : { dependencies: code }),
    ...(Object.keys(tests).length === 0 ? {} : { devDependencies: tests }),
  } as T;
}

/** Each package.json lists those of our packages that the workspace imports, and no others. */
export function listedImports(project: Project): readonly Finding[] {
  return project.workspaces.flatMap((workspace) => {
    const manifest = JSON.parse(project.read(`${workspace}/package.json`)) as Manifest;
    const wanted = withImports(manifest, workspaceImports(project, workspace));
    const ours = ({ dependencies = {}, devDependencies = {} }: Manifest) =>
      [dependencies, devDependencies].map((list) =>
        Object.keys(list)
          .filter((name) => name.startsWith('@superfluidity/'))
          .toSorted()
          .join(' '),
      );
    return ours(manifest).join('|') === ours(wanted).join('|')
      ? []
      : [`${workspace}/package.json: lists other packages than it imports; run \`npm run manifests\``];
  });
}

/** ARCHITECTURE.md has a row for every room, which names what the room imports. */
export function architecture(project: Project): readonly Finding[] {
  const page = 'ARCHITECTURE.md';
  const rows = new Map(
    [...project.read(page).matchAll(/^\| \[([^\]]+)\]\([^)]+\) \|[^|]*\| ([^|]*) \|$/gm)].map(([, room, imports]) => [
      room!,
      imports!.trim(),
    ]),
  );
  return [
    ...project.workspaces.flatMap((workspace) => {
      const { code } = workspaceImports(project, workspace);
      const imports = code.map((name) => name.slice('@superfluidity/'.length)).join(', ') || 'nothing';
      return rows.get(workspace) === imports ? [] : [`${page}: the row of ${workspace} should say: imports ${imports}`];
    }),
    ...[...rows.keys()].filter((room) => !project.workspaces.includes(room)).map((room) => `${page}: no room ${room}`),
  ];
}
