import { globSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { labPaths as kubernetesPaths } from '../lab/kubernetes/lab.ts';
import { statusOf as kubernetesStatus } from '../lab/kubernetes/status.ts';
import { labPaths as openstackPaths } from '../lab/openstack/lab.ts';
import { statusOf as openstackStatus } from '../lab/openstack/status.ts';
import { root, runNode } from './run.ts';

/** Laboratories that are started for some test files, and removed after them. */
export interface Flavour {
  readonly name: string;
  /** Arguments of `up`, of each laboratory that these files need. */
  readonly labs: readonly Laboratory[];
  /** Which files: those that say something about this flavour. None: all. */
  readonly files: readonly string[];
  /** Of these files, what another one runs, since it takes long: left out where nobody names it. */
  readonly without?: readonly string[];
  /** What another one runs as well, or needs more than one laboratory: only when it is asked for. */
  readonly isPart?: true;
  /** The data of the flavour before is kept: only what is configured in another way starts anew. */
  readonly keeps?: true;
}

export interface Laboratory {
  readonly kind: 'openstack' | 'kubernetes';
  readonly up: readonly string[];
}

export interface LabTests {
  /** Of vitest. */
  readonly project: string;
  readonly flavours: readonly Flavour[];
  /** Of installing, building and starting from nothing. */
  readonly startLimitMs: number;
  readonly testsLimitMs: number;
}

const STOP_LIMIT_MS = 180_000;
const OWN_FOLDER = '/var/tmp/superfluidity-lab/test';

/** Then tests run with it, as it is. */
const isUp = (kind: Laboratory['kind']): boolean =>
  kind === 'openstack' ? openstackStatus(openstackPaths()).up : kubernetesStatus(kubernetesPaths()).up;

/** What vitest is told to run: by name where something is left out, as it heeds `--exclude` for no project but its first one. */
export function filesOf(
  project: string,
  { files, without = [] }: Pick<Flavour, 'files' | 'without'>,
): readonly string[] {
  if (without.length === 0) return files;
  const isWanted = (path: string) =>
    (files.length === 0 || files.some((file) => path.includes(file))) && !without.some((file) => path.includes(file));
  return globSync(`{apps,packages,drivers,examples,tools,bench,lab}/**/*.${project}.test.ts`, {
    cwd: root,
    exclude: ['**/node_modules/**'],
  })
    .filter(isWanted)
    .toSorted();
}

/** Runs the tests of laboratories as the command line says; resolves to whether all passed. */
export async function runLabTests({ project, flavours, startLimitMs, testsLimitMs }: LabTests): Promise<boolean> {
  const { values, positionals } = parseArgs({
    options: {
      install: { type: 'boolean', default: false },
      flavour: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) {
    const names = flavours.map(({ name }) => name).join(', ');
    console.log(`Usage: npm run test:${project} -- [FILE...] [--install] [--flavour NAME]

  --install        what the laboratory lacks, by apt (always on CI)
  --flavour NAME   only what says something about one laboratory: ${names}

Where a laboratory is up, files run with that one; else one is started for them, and removed.`);
    return true;
  }
  const install = values.install || process.env['CI'] === 'true' || process.env['CI'] === '1';
  const wanted = flavours.filter(({ name, isPart }) =>
    values.flavour === undefined ? isPart === undefined : values.flavour === name,
  );
  if (wanted.length === 0) {
    console.log(`Flavours: ${flavours.map(({ name }) => name).join(', ')}`);
    return false;
  }

  const lab = async (kind: string, args: readonly string[], timeoutMs: number): Promise<boolean> =>
    (await runNode(['lab/main.ts', kind, ...args], { timeoutMs, show: true, cwd: root })).ok;
  const test = async (flavour: Pick<Flavour, 'files' | 'without'>): Promise<boolean> => {
    const files = positionals.length > 0 ? flavour.files : filesOf(project, flavour);
    const args = ['tools/test.ts', '--project', project, '--passWithNoTests', ...files, ...positionals];
    return (await runNode(args, { timeoutMs: testsLimitMs, show: true, cwd: root })).ok;
  };
  const wipe = async (labs: readonly Laboratory[]) => {
    for (const { kind } of labs.toReversed()) await lab(kind, ['down', '--wipe'], STOP_LIMIT_MS);
  };
  const start = async (labs: readonly Laboratory[]): Promise<boolean> => {
    for (const { kind, up } of labs)
      if (!(await lab(kind, ['up', ...up, ...(install ? ['--install'] : [])], startLimitMs))) return false;
    return true;
  };

  const all = wanted.flatMap(({ labs }) => labs);
  const up = all.filter(({ kind }) => isUp(kind));
  // A flavour that was named says which files; what is there says the rest.
  if (up.length === all.length || (up.length > 0 && values.flavour === undefined))
    return test(values.flavour === undefined ? { ...wanted[0]!, files: [] } : wanted[0]!);
  if (up.length > 0) {
    // Own ones would want the same addresses.
    const absent = all
      .filter((one) => !up.includes(one))
      .map((one) => `npm run lab -- ${one.kind} up ${one.up.join(' ')}`);
    console.log(
      `A laboratory of ${up[0]!.kind} is up, and this flavour needs another one beside it: ${absent.join(', ')}`,
    );
    return false;
  }
  process.env['SUPERFLUIDITY_LAB'] = OWN_FOLDER;
  let ok = true;
  try {
    for (const flavour of wanted) {
      console.log(`\nLaboratory, flavour ${flavour.name}:`);
      if (flavour.keeps !== true) await wipe(flavour.labs);
      ok = (await start(flavour.labs)) && (await test(flavour)) && ok;
    }
  } finally {
    await wipe([...new Map(all.map((one) => [one.kind, one])).values()]);
  }
  return ok;
}
