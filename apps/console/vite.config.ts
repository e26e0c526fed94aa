import * as api from '@superfluidity/api';
import react from '@vitejs/plugin-react';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build, defineConfig, type Plugin, type Rolldown } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const controlPlane = process.env['SUPERFLUIDITY_SERVER'] ?? 'http://localhost:8080';

/** Compresses once what is served a thousand times: beside each file one in Brotli and one in gzip. */
function compressed(): Plugin {
  const worth = /\.(?:js|css|svg|html)$/;
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      for (const entry of readdirSync(here('dist'), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !worth.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const bytes = readFileSync(path);
        // 9 of 11: a tenth of the time for three hundredths of the size.
        const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

/**
 * The client asks for method and path of a route; what goes to and fro is checked by the server, with schemas that take the
 * browser longer to make than to draw a page. The same of terminals: their bounds stay, and what the server says is believed.
 */
function withoutSchemas(): Plugin {
  const written = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`);
  return {
    name: 'without-schemas',
    enforce: 'pre',
    load: {
      filter: { id: /packages\/api\/(?:routes|terminal)\.ts$/ },
      handler: (id) => {
        if (id.endsWith('routes.ts')) {
          const slim = Object.entries(api.routes).map(([name, { method, path }]) => [name, { method, path }]);
          return written({ routes: Object.fromEntries(slim) }).join('\n');
        }
        const bounds = Object.entries(api).filter(([name]) => /^(?:TERMINAL|TOKEN)_/.test(name));
        return [
          ...written(Object.fromEntries(bounds)),
          'const believed = { parse: (value) => value };',
          'export { believed as terminalNews, believed as terminalOffer, believed as terminalRequest };',
        ].join('\n');
      },
    },
  };
}

/** PatternFly's base brings themes that nobody can choose here, a sixth of the styles of the first page: they are left out. */
function withoutUnusedThemes(): Plugin {
  return {
    name: 'without-unused-themes',
    enforce: 'pre',
    transform: {
      filter: { id: /@patternfly\/react-core\/dist\/styles\/base\.css/ },
      handler: (code) =>
        code.replaceAll(/:root:where\([^)]*(?:high-contrast|felt|glass|redhat)[^)]*\)\s*\{[^{}]*\}/g, ''),
    },
  };
}

/** `src/early.ts` in a file of its own, which is run before anything else of the page. */
function early(): Plugin {
  let built: Promise<string>;
  const fileOf = (code: string) =>
    `assets/early-${createHash('sha256').update(code).digest('base64url').slice(0, 8)}.js`;
  const once = async () => {
    const result = await build({
      configFile: false,
      logLevel: 'error',
      plugins: [withoutSchemas()],
      build: {
        write: false,
        target: 'es2024',
        rolldownOptions: { input: here('src/early.ts'), output: { format: 'iife' } },
      },
    });
    return (result as Rolldown.RolldownOutput).output[0].code;
  };
  let serves = false;
  return {
    name: 'early',
    configResolved({ command }) {
      serves = command === 'serve';
    },
    async buildStart() {
      if (serves) return;
      built = once();
      const code = await built;
      this.emitFile({ type: 'asset', fileName: fileOf(code), source: code });
    },
    async transformIndexHtml() {
      const attrs = serves ? { type: 'module', src: '/src/early.ts' } : { src: `/${fileOf(await built)}` };
      return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
    },
  };
}

/**
 * What a page is made of besides the first file, by the first part of its address, with a slash where there is a second: most
 * are called as the address is.
 */
const CODE_OF: Readonly<Record<string, RegExp>> = {
  '': /topology\/topology-view\.tsx$/,
  'services/': /services\/service-page\.tsx$|topology\/topology-view\.tsx$/,
  'operations/': /operations\/operation-page\.tsx$/,
  'catalogue/': /catalogue\/descriptor-page\.tsx$/,
  'infrastructure/': /infrastructure\/site-page\.tsx$/,
  designer: /designer\/(?:designer-page|graph\/graph-view)\.tsx$/,
  ...Object.fromEntries(
    [
      'services',
      'operations',
      'catalogue',
      'deploy',
      'verification',
      'infrastructure',
      'insight',
      'events',
      'settings',
    ].map((name) => [name, new RegExp(`${name}/${name}-page\\.tsx$`)]),
  ),
};

/** Fonts of what is seen first: found only in the styles, they would come last, and the page be laid out once more. */
const FONTS = /RedHat(?:Text|Display)VF-(?!Italic)[^/]+\.woff2$/;

/** What a page loads on use is fetched beside what all are made of, and not after that has begun to run: see early.ts. */
function preloaded(): Plugin {
  return {
    name: 'preloaded',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((one) => one.type === 'chunk');
        const needed = (wanted: (chunk: Rolldown.OutputChunk) => boolean) => {
          const files = new Set<string>();
          const add = (file: string) => {
            const chunk = bundle[file];
            if (chunk?.type !== 'chunk' || files.has(file)) return;
            files.add(file);
            for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
            for (const other of chunk.imports) add(other);
          };
          for (const chunk of chunks) if (wanted(chunk)) add(chunk.fileName);
          return files;
        };
        const first = needed((one) => one.isEntry);
        const pages = Object.entries(CODE_OF).map(([page, code]) => {
          const files = needed(({ facadeModuleId }) => code.test(facadeModuleId ?? ''));
          if (files.size === 0) throw new Error(`no code is that of the page '/${page}'`);
          return [page, [...files].filter((file) => !first.has(file))] as const;
        });
        const said = `data-pages='${JSON.stringify(Object.fromEntries(pages))}'`;
        const fonts = Object.keys(bundle).filter((file) => FONTS.test(file));
        return {
          html: html.replace('<script src="/assets/early-', `<script ${said} src="/assets/early-`),
          tags: fonts.map((file) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: true, href: `/${file}` },
            injectTo: 'head' as const,
          })),
        };
      },
    },
  };
}

export default defineConfig({
  root: here('.'),
  plugins: [react(), withoutSchemas(), withoutUnusedThemes(), early(), preloaded(), compressed()],
  server: { port: 5173, proxy: { '/api': controlPlane } },
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'es2024',
    // React, PatternFly, TanStack and the page: 185 kB compressed. Topology, plot and steps are chunks of their own, and
    // ELK is a file that only its worker loads.
    chunkSizeWarningLimit: 640,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // All that the first page is made of, in one file: HTTP/1.1 fetches six at a time.
          groups: [{ name: 'first', tags: ['$initial'] }],
        },
      },
    },
  },
});
