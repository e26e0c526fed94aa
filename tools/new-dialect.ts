/**
 * `npm run new:dialect NAME`: a dialect that reads and writes as little as can be, with its tests, entered in the list of
 * dialects. What it then needs is in docs/checklists/dialect.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, root, runNode } from './run.ts';

export function skeleton(name: string): Readonly<Record<string, string>> {
  const upper = name[0]!.toUpperCase() + name.slice(1);
  return {
    [`${name}.ts`]: `import type { Dialect } from '../dialect.ts';
import { mentions } from '../recognise.ts';
import { read${upper} } from './read.ts';
import { write${upper} } from './write.ts';

export const ${name}: Dialect = {
  format: '${name}',
  title: '${upper}',
  standard: 'name and version of the specification',
  recognises: (files) => files.some(mentions(/^${name}:/m)),
  read: read${upper},
  writer: { expresses: ['service.version'], write: write${upper} },
};
`,
    'read.ts': `import { z } from 'zod';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import type { NativeService } from '../native/schema.ts';
import { Names, renamed } from '../names.ts';
import { Origins } from '../origins.ts';
import { mentions } from '../recognise.ts';
import { readShape } from '../shape.ts';
import { toService } from '../to-service.ts';
import { yamlOf } from '../yaml-text.ts';

/** The parts of the format that are read. What else it says is carried. */
const shape = z.looseObject({
  ${name}: z.looseObject({
    name: z.string().min(1),
    version: z.string().min(1),
    machines: z.array(z.looseObject({ name: z.string().min(1), image: z.string().min(1) })).min(1).max(10_000),
  }),
});

/** Reads ${upper}: cite the specification and its version here. Never throws. */
export function read${upper}(files: readonly DescriptorFile[]): ReadResult {
  const text = yamlOf(files.find(mentions(/^${name}:/m))!);
  const read = readShape(text, shape, {});
  if (!('value' in read)) return { problems: read.problems };
  const { name, version, machines, ...rest } = read.value.${name};
  const origins = new Origins();
  origins.note('', text.locate(['${name}']));
  const names = new Names();
  const label = new Names().label(name);
  const service: NativeService = {
    name: label,
    version,
    functions: machines.map((machine, i) => {
      origins.note(\`functions[\${i}]\`, text.locate(['${name}', 'machines', i]));
      const unit = names.fresh(machine.name);
      const carried = renamed(machine.name, unit);
      const more = Object.keys(carried).length === 0 ? {} : { carried: { ${name}: carried } };
      return { name: unit, units: [{ name: unit, environment: 'vm', image: machine.image, ...more }] };
    }),
    carried: { ${name}: { ...renamed(name, label), ...rest } },
  };
  return toService(service, origins);
}
`,
    'write.ts': `import type { Service } from '@superfluidity/model';
import { Document } from 'yaml';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { nameIn } from '../names.ts';

export function write${upper}(service: Service, lose: Lose): readonly DescriptorFile[] {
  service.networks.forEach(({ name }, i) => lose(\`networks[\${i}]\`, \`network '\${name}'\`));
  const machines = service.block.children.flatMap((fn, i) =>
    fn.children.flatMap((unit, j) => {
      const at = \`functions[\${i}].units[\${j}]\`;
      if (unit.ports.length > 0) lose(\`\${at}.ports\`, \`ports of '\${fn.name}/\${unit.name}'\`);
      if (unit.execution?.environment === 'vm') return { name: nameIn('${name}', unit), image: unit.execution.image };
      lose(at, \`'\${fn.name}/\${unit.name}', which is no virtual machine\`);
      return [];
    }),
  );
  const { id: _, ...carried } = (service.block.carried?.['${name}'] ?? {}) as Record<string, unknown>;
  const content = { ${name}: { ...carried, name: nameIn('${name}', service.block), version: service.version, machines } };
  return [{ path: '${name}.yaml', bytes: new TextEncoder().encode(new Document(content).toString()) }];
}
`,
    [`${name}.test.ts`]: `import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDescriptor, writeDescriptor } from '../descriptor.ts';
import { survivesDamage } from '../testing/round-trip.ts';

const bytes = readFileSync(new URL('./golden/example.yaml', import.meta.url));
const golden = [{ path: 'example.yaml', bytes }];

test('the golden file is read, and written as it was', () => {
  const { service, problems, format } = readDescriptor(golden);
  expect([format, problems]).toEqual(['${name}', []]);
  expect(service!.block.children.map(({ name }) => name)).toEqual(['router']);
  const { files } = writeDescriptor(service!, '${name}');
  expect(parse(new TextDecoder().decode(files[0]!.bytes))).toEqual(parse(bytes.toString()));
});

test('mistakes are found where they are', () => {
  const wrong = bytes.toString().replace('image: "guest:"', 'image: 7');
  const [problem] = readDescriptor([{ path: 'x.yaml', bytes: Buffer.from(wrong) }]).problems;
  expect(problem).toMatchObject({ code: 'SF-DESCRIPTOR-TYPE', position: { file: 'x.yaml' } });
});

// Whoever makes the dialect adds \`keepsMeaning\` of testing/round-trip.ts when the writer expresses more.
test('whatever becomes of the file, the answer is problems with known codes', () => survivesDamage(golden));
`,
    'golden/example.yaml': `${name}:
  name: example
  version: "1"
  machines:
    - { name: router, image: "guest:" }
`,
  };
}

/** The list of dialects, with one more before the native one, which is asked last. */
export function entered(source: string, name: string): string {
  return source
    .replace(/^import \{ native \}/m, `import { ${name} } from './${name}/${name}.ts';\nimport { native }`)
    .replace(/,(\s+)native(?=,)/, `,$1${name},$1native`);
}

async function make(name: string): Promise<void> {
  const folder = join(root, 'packages/dialects', name);
  if (!/^[a-z][a-z0-9]{1,20}$/.test(name))
    throw new Error('a name is of lower case letters and digits: `npm run new:dialect example`');
  if (existsSync(folder)) throw new Error(`there is ${folder} already`);
  for (const [file, content] of Object.entries(skeleton(name))) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  const change = (file: string, edit: (source: string) => string) => {
    const path = join(root, 'packages/dialects', file);
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
  };
  change('dialects.ts', (source) => entered(source, name));
  change('dialect.ts', (source) => source.replace(/(export const formats = \[[^\]]*?),?\s*\]/, `$1, '${name}']`));
  await runNode([bin('@biomejs/biome', 'biome'), 'format', '--write', 'packages/dialects'], { timeoutMs: 60_000 });
  console.log(
    `packages/dialects/${name} is there, and in the list of dialects. Now: docs/checklists/dialect.md, npm run docs, npm run check`,
  );
}

if (import.meta.main) {
  try {
    await make(process.argv[2] ?? '');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
