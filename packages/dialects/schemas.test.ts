import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { findAppds } from './appd/read.ts';
import { appdFileShape } from './appd/shape.ts';
import { rfbGraphShape } from './cran/read.ts';
import { dialects } from './dialects.ts';
import { realFiles } from './testing/real-files.ts';
import { serviceTemplateShape } from './tosca/shape.ts';
import { isTosca } from './tosca/templates.ts';
import { yamlOf } from './yaml-text.ts';

/** What editors are told must not call wrong what the readers take: golden files, and those that people have published. */
const here = fileURLToPath(new URL('.', import.meta.url));
const filesIn = (folder: string, patterns: readonly string[]) =>
  globSync([...patterns], { cwd: folder }).map((path) => ({ path, bytes: readFileSync(`${folder}/${path}`) }));
const text = ({ bytes }: { readonly bytes: Uint8Array }) => new TextDecoder().decode(bytes);

const cases: readonly {
  readonly name: string;
  readonly shape: z.ZodType;
  readonly golden: string;
  is(text: string): boolean;
}[] = [
  {
    name: 'appd',
    shape: appdFileShape,
    golden: 'appd/golden/*',
    is: (one) => findAppds([{ path: 'x.yaml', bytes: Buffer.from(one) }]).length > 0,
  },
  { name: 'cran', shape: rfbGraphShape, golden: 'cran/golden/*', is: (one) => /^Functional-blocks:/m.test(one) },
  {
    name: 'tosca',
    shape: serviceTemplateShape,
    golden: 'tosca/golden*/Definitions/*',
    is: (one) => isTosca({ path: 'x.yaml', bytes: Buffer.from(one) }),
  },
];

describe.each(cases)('the schema of $name', ({ name, shape, golden, is }) => {
  test('is published', () => {
    const dialect = dialects.find(({ format }) => format === name);
    expect(Object.keys(dialect?.schemas ?? {})).toEqual([name]);
  });

  test('takes what the reader takes', () => {
    const files = [...filesIn(here, [golden]), ...realFiles('', /\.(?:ya?ml|json)$/)].filter((file) => is(text(file)));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const { value, problems } = yamlOf(file);
      if (problems.length === 0) expect(shape.safeParse(value).error?.issues ?? [], file.path).toEqual([]);
    }
  });

  test('refuses a list, and a file of nothing', () => {
    for (const value of [[], {}, undefined, 'x']) expect(shape.safeParse(value).success).toBe(false);
  });
});
