import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'vite';
import { expect, test } from 'vitest';
import type * as Language from './index.ts';

test('it runs where there is nothing of Node', async () => {
  const entry = fileURLToPath(new URL('index.ts', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      target: 'es2024',
      lib: { entry, formats: ['iife'], name: 'language', fileName: 'language' },
      // A module of Node would be left out of the bundle, and missing when it is wanted.
      rollupOptions: { onwarn: (warning) => expect(warning.message ?? '').not.toMatch(/node:|externalized/) },
    },
  });
  const [bundle] = Array.isArray(built) ? built : [built as never];
  const { code, imports } = (bundle as unknown as { output: { code: string; imports: string[] }[] }).output[0]!;
  expect(imports).toEqual([]);
  expect(code).not.toMatch(/from ?"node:|require\("node:/);
  const context = createContext({ TextEncoder, TextDecoder, console: undefined });
  runInContext(`${code}\nglobalThis.language = language;`, context);
  const { language } = context as { language: typeof Language };

  const click = { path: 'a.click', text: 'a :: Queue;\na -> b ->', language: 'click' } as const;
  expect(language.diagnostics(click).map(({ problem }) => problem.position)).toEqual([
    { file: 'a.click', line: 2, column: 10 },
  ]);
  const native = { path: 'a.yaml', text: 'superfluidity: 1\nservice:\n  n', language: 'native' } as const;
  expect(language.complete(native, native.text.length).map(({ label }) => label)).toContain('name');
  const nemo = { path: 'a.nemo', text: 'CREATE Node a;\nDELETE Node a;', language: 'nemo' } as const;
  expect(language.rename(nemo, 13, 'b')).toEqual({
    edits: [
      { from: 12, to: 13, text: 'b' },
      { from: 27, to: 28, text: 'b' },
    ],
  });
});
