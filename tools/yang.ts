/**
 * `node tools/yang.ts MODULES [PACKAGE]`: holds a package (that of the example, if none is named) and the augmentation that
 * describes nested VDUs against the YANG modules of ETSI GS NFV-SOL 006, with yanglint (Debian: libyang-tools). The modules
 * are at https://forge.etsi.org/rep/nfv/SOL006, tag v3.6.1, folder src/yang; a copy would only grow old here.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { root } from './run.ts';

const AUGMENTATION = join(root, 'packages/dialects/sol006/superfluidity-nfv.yang');
const EXAMPLE = join(root, 'examples/mobile-edge/sol006');
const NFV = 'etsi-nfv-descriptors:nfv';

/**
 * The modules cannot be used as they are: `deref` is no part of YANG's paths, some of their conditions name nodes that do
 * not exist, others compare with identities by the names these had in an older version, and one demands of a VDU with a
 * compute descriptor that it has an image of which the memory is known, which packet functions have not.
 * Groups that a descriptor need not have (ETSI GS NFV-IFA 011, clauses 7.1.5.2 and 7.1.8.17) hold fields that it must have.
 */
const repairs: readonly (readonly [RegExp, string | ((text: string) => string)])[] = [
  [/type leafref \{\s*path\s+"deref\([^;]*;\s*\}/g, 'type string;'],
  [/must\s+"\. = deref\([^{]*\{\s*\}/g, ''],
  [/container (nfvi-maintenance-info|(create|revert-to)-snapshot-vnf-op-config) \{/g, '$& presence "given";'],
  [/must "(?=\.\.\/\.\.\/virtual-compute-desc\[)/g, 'must "not(../sw-image-desc) or '],
  [/(?<=associated-layer-protocol = )'[\w-]+'/g, (identity) => identity.toLowerCase()],
];

function repaired(module: string): string {
  return repairs.reduce((text, [wrong, right]) => text.replace(wrong, right as string), module);
}

/** One document for all files: they refer to each other. */
function readPackage(folder: string): object {
  const documents = globSync('{nsd,vnfd/*}.yaml', { cwd: folder }).map(
    (file) => parse(readFileSync(join(folder, file), 'utf8'))[NFV] as Readonly<Record<string, readonly object[]>>,
  );
  const all = (kind: string) => documents.flatMap((document) => document[kind] ?? []);
  return { [NFV]: { nsd: all('nsd'), vnfd: all('vnfd') } };
}

function validate(modules: string, descriptors: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-yang-'));
  try {
    for (const name of readdirSync(modules).filter((one) => one.endsWith('.yang')))
      writeFileSync(join(folder, name), repaired(readFileSync(join(modules, name), 'utf8')));
    copyFileSync(AUGMENTATION, join(folder, basename(AUGMENTATION)));
    writeFileSync(join(folder, 'package.json'), JSON.stringify(readPackage(descriptors), undefined, 1));
    const args = ['-p', '.', '-f', 'json', '-t', 'config', basename(AUGMENTATION), 'package.json'];
    const { error, status, stderr } = spawnSync('yanglint', args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    if (error !== undefined) throw error;
    // What it warns of is in the modules of ETSI.
    for (const line of stderr.split('\n')) if (!line.startsWith('libyang warn')) console.error(line);
    return status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [modules, descriptors = EXAMPLE] = process.argv.slice(2);
if (modules === undefined) {
  console.error('usage: node tools/yang.ts FOLDER-OF-THE-MODULES [PACKAGE]');
  process.exitCode = 2;
} else {
  const ok = validate(modules, descriptors);
  console.log(ok ? 'the package is valid' : 'the package is not valid');
  process.exitCode = ok ? 0 : 1;
}
