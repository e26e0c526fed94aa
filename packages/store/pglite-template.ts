import { randomUUID } from 'node:crypto';
import { existsSync, openAsBlob, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import type { Logger } from '@superfluidity/core';

/** Among what was installed, and trusted as much. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/superfluidity/', import.meta.url));

/**
 * Opens the database in the folder, or in memory. To make a new one takes PGlite some six seconds of processor time, for
 * it runs initdb; a copy of an empty one takes one. So the first new database is kept, as a template for all others.
 */
export async function createPGlite(folder: string | undefined, log: Logger): Promise<PGlite> {
  const dataDir = folder ?? 'memory://';
  if (folder !== undefined && existsSync(folder) && readdirSync(folder).length > 0) return PGlite.create(dataDir);
  const template = await templatePath();
  if (existsSync(template)) {
    try {
      return await PGlite.create({ dataDir, loadDataDir: await openAsBlob(template) });
    } catch (error) {
      log.warn({ template, error: String(error) }, 'the template for databases is of no use; making a new one');
      await rm(template, { force: true });
      // There was nothing in it before.
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }
  const pglite = await PGlite.create(dataDir);
  await keep(pglite, template, log);
  return pglite;
}

async function templatePath(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const manifest = join(dirname(entry), '..', 'package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { readonly version: string };
  return join(CACHE, `pglite-${version}.tar`);
}

/** Without it the next database takes as long as this one did, and nothing else. */
async function keep(pglite: PGlite, template: string, log: Logger): Promise<void> {
  const draft = `${template}.${randomUUID()}`;
  try {
    const dump = await pglite.dumpDataDir('none');
    await mkdir(CACHE, { recursive: true });
    await writeFile(draft, Buffer.from(await dump.arrayBuffer()));
    await rename(draft, template);
  } catch (error) {
    log.debug({ error: String(error) }, 'no template for databases could be kept');
    await rm(draft, { force: true }).catch(() => {});
  }
}
