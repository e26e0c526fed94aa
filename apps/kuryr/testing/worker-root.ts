import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { nodeRoot } from '../install/testing/image.ts';

const ENTRY = fileURLToPath(new URL('../cni/testing/daemon-process.ts', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const APP = 'opt/kuryr';
/** The daemon, which is told of ports on its standard input. */
export const DAEMON = `/${APP}/daemon-process.js`;

/**
 * The file tree of a node that is a guest. The daemon is one file, with of its packages what it uses: an interpreted processor takes a
 * minute to read all that Node would.
 */
export async function workerRoot(root: string): Promise<void> {
  await nodeRoot(root, []);
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['koffi'] },
    build: {
      ssr: ENTRY,
      outDir: join(root, APP),
      minify: false,
      rolldownOptions: {
        // Own modules define errors and the like; those of others are there for what is imported of them.
        treeshake: { moduleSideEffects: (id) => !id.includes('/node_modules/') },
      },
    },
  });
  for (const name of ['koffi', ...readdirSync(join(MODULES, '@koromix')).map((one) => `@koromix/${one}`)])
    cpSync(join(MODULES, name), join(root, APP, 'node_modules', name), { recursive: true });
}
