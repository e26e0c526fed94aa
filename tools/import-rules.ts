/**
 * The import rules of .dependency-cruiser.cjs. A checker that reads nothing finds nothing, so two things are asserted:
 * that every source file was read, and that violations planted in a copy of the layout are found, one for each rule.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bin, root, runNode } from './run.ts';
import { readProject } from './tidy/project.ts';

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** It takes 20 s alone, and several times that beside the tests of a slow machine. */
const TIMEOUT_MS = 240_000;
const FOLDERS = ['apps', 'packages', 'drivers', 'examples', 'bench', 'tools'];

async function cruise(folder: string, folders: readonly string[]): Promise<Cruise> {
  const config = join(root, '.dependency-cruiser.cjs');
  const args = [bin('dependency-cruiser', 'depcruise'), '--config', config, '--output-type', 'json', ...folders];
  // The answer is one large object, and the exit code is the number of violations.
  const file = join(mkdtempSync(join(tmpdir(), 'superfluidity-cruise-')), 'result.json');
  try {
    const { output } = await runNode([...args, '--output-to', file], { cwd: folder, timeoutMs: TIMEOUT_MS });
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(file, 'utf8').catch(() => {
      throw new Error(`dependency-cruiser gave no result:\n${output}`);
    });
    return JSON.parse(text) as Cruise;
  } finally {
    rmSync(dirname(file), { recursive: true, force: true });
  }
}

/** File that violates the rule -> its text. */
const planted: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'core-imports-nothing': ['packages/core/a.ts', "import '../model/index.ts';"],
  'model-imports-core': ['packages/model/a.ts', "import '../site/index.ts';"],
  'pure-rooms-import-pure-rooms': ['packages/place/a.ts', "import type { X } from '../store/index.ts';"],
  'pure-rooms-do-nothing-to-the-world': ['packages/dialects/a.ts', "import { readFileSync } from 'node:fs';"],
  'languages-run-in-a-browser': ['packages/language/a.ts', "import { createHash } from 'node:crypto';"],
  'api-has-definitions-only': ['packages/api/a.ts', "import '../lifecycle/index.ts';"],
  'characterise-imports-what-it-describes': ['packages/characterise/run/a.ts', "import '../../store/index.ts';"],
  'characterise-touches-the-world-in-two-places': ['packages/characterise/report/a.ts', "import 'node:fs';"],
  'drivers-import-the-port': ['drivers/linux/a.ts', "import '../../packages/store/index.ts';"],
  'router-is-what-drivers-share-on-a-machine': ['packages/router/a.ts', "import '../store/index.ts';"],
  'drivers-do-not-know-each-other': ['drivers/linux/b.ts', "import '../simulated/index.ts';"],
  'only-apps-import-drivers': ['packages/lifecycle/a.ts', "import '../../drivers/linux/index.ts';"],
  'nothing-imports-an-app': ['packages/lifecycle/b.ts', "import '../../apps/server/index.ts';"],
  'apps-do-not-import-each-other': ['apps/server/a.ts', "import '../cli/index.ts';"],
  'rooms-of-kuryr-do-not-know-each-other': ['apps/kuryr/node/a.ts', "import type { X } from '../controller/index.ts';"],
  'daemon-of-kuryr-does-not-know-the-controller': ['apps/kuryr/cni/a.ts', "import '../controller/index.ts';"],
  entrance: ['packages/lifecycle/c.ts', "import '../core/errors.ts';"],
  'no-cycles': ['packages/core/b.ts', "import './c.ts'; using x = y;"],
  resolvable: ['packages/core/d.ts', "import './nowhere.ts';"],
};
const plantedBeside: Readonly<Record<string, string>> = {
  'packages/core/c.ts': "import './b.ts';",
  'packages/core/errors.ts': '',
  ...Object.fromEntries(
    ['core', 'model', 'site', 'store', 'lifecycle', 'place'].map((room) => [`packages/${room}/index.ts`, '']),
  ),
  'drivers/linux/index.ts': '',
  'drivers/simulated/index.ts': '',
  'apps/server/index.ts': '',
  'apps/cli/index.ts': '',
  'apps/kuryr/controller/index.ts': '',
};

/** Names of rules whose planted violation was not found. */
async function blindRules(): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-planted-'));
  try {
    for (const [file, text] of [...Object.entries(plantedBeside), ...Object.values(planted)]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${text}\n`);
    }
    const { summary } = await cruise(folder, ['packages', 'drivers', 'apps']);
    return Object.entries(planted)
      .filter(([name, [file]]) => !summary.violations.some(({ rule, from }) => rule.name === name && from === file))
      .map(([name]) => name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sources = readProject(root).files.filter(
  (file) => /\.tsx?$/.test(file) && FOLDERS.some((folder) => file.startsWith(`${folder}/`)),
);
const [result, blind] = await Promise.all([
  cruise(
    root,
    FOLDERS.filter((folder) => sources.some((file) => file.startsWith(`${folder}/`))),
  ),
  blindRules(),
]);
const seen = new Set(result.modules.map(({ source }) => source));
const findings = [
  ...result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} imports ${to}`),
  ...sources.filter((file) => !seen.has(file)).map((file) => `not read: ${file}`),
  ...blind.map((name) => `the rule ${name} does not find what it forbids`),
];
for (const finding of findings) console.log(finding);
console.log(`${sources.length} files read`);
process.exitCode = findings.length === 0 ? 0 : 1;
