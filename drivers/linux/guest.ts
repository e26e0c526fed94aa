import { homedir } from 'node:os';
import { join } from 'node:path';

/** The entrance for who prepares a machine: the kernel for guests is fetched once and used by all sites. */
export { fetchGuestKernel, findGuestKernel } from './runtime/guest-kernel.ts';
export { encodeCpio, file, folder, symlink } from './runtime/cpio.ts';
export { acceleratorFor } from './machine.ts';

/**
 * Folder in which all control planes of a machine find the guest kernel: `$SUPERFLUIDITY_CACHE`, else the cache of the
 * system for root and that of the user for others.
 */
export function guestCacheFolder(env: NodeJS.ProcessEnv = process.env, root = process.getuid?.() === 0): string {
  if (env['SUPERFLUIDITY_CACHE']) return env['SUPERFLUIDITY_CACHE'];
  return join(root ? '/var/cache' : (env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')), 'superfluidity');
}
