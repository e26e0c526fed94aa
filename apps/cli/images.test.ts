import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeZip } from '@superfluidity/core/archive';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { check } from './actions/service.ts';
import { recorded } from './testing/recorded.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-images-'));
});
afterEach(() => {
  process.exitCode = 0;
});
afterAll(() => rm(folder, { recursive: true }));

const descriptor = `superfluidity: 1
service:
  name: demo
  version: "1.0"
  networks: [{name: lan, prefix: 10.1.0.0/24}]
  functions:
    - {name: a, environment: vm, image: 'disk:images/a.qcow2', ports: [lan]}
    - {name: b, environment: container, image: 'folder:images/b', files: programs, ports: [lan]}
    - {name: c, environment: container, image: 'name:docker.io/library/nginx:1.29', ports: [lan]}
    - {name: d, environment: vm, image: 'guest:', ports: [lan]}
`;

async function found(file: string) {
  const { context, shown } = recorded();
  await check(context, [file], { offline: true });
  const { ok, problems } = shown[0] as {
    ok: boolean;
    problems: { code: string; message: string; position: { line: number } }[];
  };
  return {
    ok,
    code: process.exitCode,
    problems: problems.map((one) => `${one.position.line} ${one.code} ${one.message}`),
  };
}

test('images that are nowhere are errors where they are named, and those that are there are not', async () => {
  const file = join(folder, 'service.yaml');
  await writeFile(file, descriptor);
  await mkdir(join(folder, 'images/a.qcow2'), { recursive: true });
  expect(await found(file)).toEqual({
    ok: false,
    code: 2,
    problems: [
      "7 SF-MODEL-IMAGE 'images/a.qcow2' is a folder, and should be a file",
      "8 SF-MODEL-IMAGE there is no folder 'images/b' in the package",
      "8 SF-MODEL-IMAGE there is no folder 'programs' in the package",
    ],
  });
  process.exitCode = 0;
  await rm(join(folder, 'images/a.qcow2'), { recursive: true });
  await writeFile(join(folder, 'images/a.qcow2'), 'x');
  for (const path of ['images/b', 'programs']) await mkdir(join(folder, path));
  expect(await found(file)).toEqual({ ok: true, code: 0, problems: [] });
});

test('of an archive, what is packed in it counts', async () => {
  const file = join(folder, 'package.zip');
  const packed = ['images/a.qcow2', 'images/b/bin/sh', 'programs/x.js'].map((path) => ({
    path,
    bytes: Buffer.from('x'),
  }));
  await writeFile(file, writeZip([{ path: 'service.yaml', bytes: Buffer.from(descriptor) }, ...packed]));
  const elsewhere = join(folder, 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'bare.zip'), writeZip([{ path: 'service.yaml', bytes: Buffer.from(descriptor) }]));
  expect(await found(file)).toMatchObject({ ok: true });
  expect((await found(join(elsewhere, 'bare.zip'))).problems).toHaveLength(3);
});
