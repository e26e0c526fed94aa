import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@superfluidity/core';

/** The same after a restart: the server goes on with the operations that it left under this name. */
export async function serverId(stateFolder: string): Promise<string> {
  const file = join(stateFolder, 'server.id');
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (/^srv-[0-9a-z]{18}$/.test(known)) return known;
  const id = newId('srv');
  await writeFile(file, `${id}\n`, { mode: 0o600 });
  return id;
}
