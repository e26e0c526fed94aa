import type { Finding, Project } from './project.ts';

/** Packages that a workspace imports: by its own code, and by its tests only. */
export interface WorkspaceImports {
  readonly code: readonly string[];
  readonly tests: readonly string[];
}

/** Specifiers of import and export declarations, also of those over several lines, and of `import()`. */
const SPECIFIER =
  /^(?:import|export)\b[^'"]*?['"]([^'"]+)['"]|^\} from ['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm;
const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);

export function workspaceImports(project: Project, workspace: string): WorkspaceImports {
  const importedBy = (files: readonly string[]) =>
    new Set(
      files.flatMap((file) =>
        [...project.read(file).matchAll(SPECIFIER)].flatMap(([, ...found]) => packageOf(found.find(Boolean)!) ?? []),
      ),
    );
  const own = (JSON.parse(project.read(`${workspace}/package.json`)) as { name: string }).name;
  const sources = project.files.filter((file) => file.startsWith(`${workspace}/`) && /\.tsx?$/.test(file));
  const code = importedBy(sources.filter((file) => !isTest(file)));
  const tests = new Set([...importedBy(sources.filter(isTest))].filter((name) => !code.has(name)));
  const sorted = (names: ReadonlySet<string>) => [...names].filter((name) => name !== own).toSorted();
  return { code: sorted(code), tests: sorted(tests) };
}

/** `@scope/name/entrance` is of the package `@scope/name`. Undefined for files and for modules of Node. */
function packageOf(specifier: string): string | undefined {
  if (/^(?:\.|\/|node:)/.test(specifier)) return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

type Dependencies = Readonly<Record<string, string>>;

interface Manifest {
  readonly version: string;
  readonly dependencies?: Dependencies;
  readonly devDependencies?: Dependencies;
}

const OURS = '@superfluidity/';

/**
 * The manifest with the packages that are imported: ours exactly, and those of others that it lacks while another
 * workspace has them, in the same version. A package that nobody has is for people to add.
 */
export function withImports<T extends Manifest>(manifest: T, imports: WorkspaceImports, known: Dependencies = {}): T {
  const { dependencies = {}, devDependencies = {}, ...rest } = manifest;
  const list = (current: Dependencies, names: readonly string[]) => {
    const others = Object.entries(current).filter(([name]) => !name.startsWith(OURS));
    const lacking = names.flatMap((name): (readonly [string, string])[] => {
      if (name.startsWith(OURS)) return [[name, manifest.version]];
      if (name in dependencies || name in devDependencies || known[name] === undefined) return [];
      return [[name, known[name]]];
    });
    return Object.fromEntries([...others, ...lacking].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  };
  const code = list(dependencies, imports.code);
  const tests = list(devDependencies, imports.tests);
  return {
    ...rest,
    ...(Object.keys(code).length === 0 ? {} : { dependencies: code }),
    ...(Object.keys(tests).length === 0 ? {} : { devDependencies: tests }),
  } as T;
}

/** Versions of packages of others that workspaces have. What the root has is there for all. */
export function knownVersions(project: Project): Dependencies {
  const read = (file: string) => JSON.parse(project.read(file)) as Manifest;
  const { devDependencies: forAll = {} } = read('package.json');
  const lists = project.workspaces.map((workspace) => read(`${workspace}/package.json`).dependencies ?? {});
  const entries = lists.flatMap((list) => Object.entries(list));
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith(OURS) && !(name in forAll)));
}

/** Each package.json lists what the workspace imports. */
export function listedImports(project: Project): readonly Finding[] {
  const known = knownVersions(project);
  return project.workspaces.flatMap((workspace) => {
    const manifest = JSON.parse(project.read(`${workspace}/package.json`)) as Manifest;
    const wanted = withImports(manifest, workspaceImports(project, workspace), known);
    const names = ({ dependencies = {}, devDependencies = {} }: Manifest) =>
      [dependencies, devDependencies].map((list) => Object.keys(list).toSorted().join(' ')).join('|');
    return names(manifest) === names(wanted)
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
      const ours = code.filter((name) => name.startsWith(OURS)).map((name) => name.slice(OURS.length));
      const imports = ours.join(', ') || 'nothing';
      return rows.get(workspace) === imports ? [] : [`${page}: the row of ${workspace} should say: imports ${imports}`];
    }),
    ...[...rows.keys()].filter((room) => !project.workspaces.includes(room)).map((room) => `${page}: no room ${room}`),
  ];
}
