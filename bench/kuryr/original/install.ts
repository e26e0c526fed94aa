import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../../lab/command.ts';
import { labCacheFolder, writeFile } from '../../../lab/paths.ts';

/** The last one, of April 2024. */
export const ORIGINAL_VERSION = '10.0.0';

/** With what it ran: what is younger than it often breaks it. */
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));
const INSTALL_MS = 900_000;
const DIGITS = 16;

export interface Installed {
  /** Of its programs. */
  readonly bin: string;
  /** A folder with its CustomResourceDefinitions, which are in its sources only. */
  readonly resources: string;
}

/** kuryr-kubernetes of PyPI in an environment of its own, made once and kept where laboratories keep what makes the next one fast. */
export async function ensureOriginal(tell: (text: string) => void): Promise<Installed> {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, DIGITS);
  const folder = join(labCacheFolder(), 'kuryr-original', digest);
  const environment = join(folder, 'venv');
  const bin = join(environment, 'bin');
  const sources = join(folder, 'sources');
  const done = join(folder, 'done');
  const installed = { bin, resources: join(sources, 'kubernetes_crds/kuryr_crds') };
  if (existsSync(done)) return installed;
  tell(`installing kuryr-kubernetes ${ORIGINAL_VERSION}, once; it takes some minutes`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true, mode: 0o700 });
  // The user's own: where packages come from is set there.
  const how = { env: process.env as Record<string, string>, timeoutMs: INSTALL_MS };
  await run(['python3', '-m', 'venv', environment], how);
  const pip = join(bin, 'pip');
  await run([pip, 'install', '--quiet', '--requirement', REQUIREMENTS], how);
  const source = ['--no-deps', '--no-binary', ':all:', `kuryr-kubernetes==${ORIGINAL_VERSION}`] as const;
  await run([pip, 'download', '--quiet', '--dest', sources, ...source], how);
  const archive = readdirSync(sources).find((name) => name.endsWith('.tar.gz'))!;
  await run(['tar', '-xzf', join(sources, archive), '-C', sources, '--strip-components=1']);
  writeFile(done, '');
  return installed;
}
