import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where a control plane keeps what it must not lose: `$SUPERFLUIDITY_STATE`, else `.state` of the current folder where
 * that exists, else `$XDG_STATE_HOME/superfluidity` (XDG Base Directory Specification). Server and command agree on it,
 * so that the command finds the token of the server on the same machine.
 */
export function defaultStateFolder(env: NodeJS.ProcessEnv = process.env, cwd = process.cwd()): string {
  if (env['SUPERFLUIDITY_STATE']) return resolve(cwd, env['SUPERFLUIDITY_STATE']);
  const here = join(cwd, '.state');
  if (existsSync(here)) return here;
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'superfluidity');
}

export function adminTokenFile(stateFolder: string): string {
  return join(stateFolder, 'admin.token');
}
