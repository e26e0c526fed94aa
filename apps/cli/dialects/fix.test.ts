import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTarGz } from '@superfluidity/core/archive';
import { readDescriptor } from '@superfluidity/dialects';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSourceFiles } from '../source.ts';
import { fix } from './fix.ts';
import { recorded } from '../testing/recorded.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'superfluidity-fix-'));
});
afterAll(() => rm(folder, { recursive: true }));

const wrong = `superfluidity: 1
service:
  name: demo
  version: 1.0
  networks: [{name: lan, prefix: 10.1.0.0/16}]
  functions:
    - {name: web, enviroment: vm, image: 'guest:', ports: [lam], requirements: {cpu: 1}}
`;

test('what can only be meant in one way is put right in the file, round by round, and said', async () => {
  const file = join(folder, 'service.yaml');
  await writeFile(file, wrong);
  const { context, notes } = recorded();
  await fix(context, [file]);
  const fixed = await readFile(file, 'utf8');
  expect(fixed).toBe(wrong.replace('1.0', '"1.0"').replace('enviroment', 'environment').replace('lam', 'lan'));
  // The network is looked for once the shape is right.
  expect(notes).toEqual([
    'service.yaml:4:12: \'1.0\' was made "1.0"',
    "service.yaml:7:19: 'enviroment' was made 'environment'",
    expect.stringMatching(/^service\.yaml:7:\d+: 'lam' was made 'lan'$/),
  ]);
  expect(readDescriptor([{ path: 'service.yaml', bytes: Buffer.from(fixed) }]).problems).toEqual([]);
  await fix(context, [file]);
  expect(await readFile(file, 'utf8')).toBe(fixed);
});

test('an archive is not changed', async () => {
  const file = join(folder, 'x.tar.gz');
  const bytes = writeTarGz([{ path: 'service.yaml', bytes: Buffer.from(wrong) }]);
  await writeFile(file, bytes);
  await expect(fix(recorded().context, [file])).rejects.toMatchObject({ code: 'SF-CLI-USAGE' });
  expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
});

test('files of all dialects are taken from a folder, the descriptor first, and nothing that has another ending', async () => {
  const inner = join(folder, 'all');
  await mkdir(join(inner, 'TOSCA-Metadata'), { recursive: true });
  const names = [
    'a.click',
    'b.nemo',
    'image.qcow2',
    'z_nsd.yaml',
    'c.xml',
    'd.hot',
    'run.sh',
    'TOSCA-Metadata/TOSCA.meta',
    'LICENSE.txt',
  ];
  for (const name of names) await writeFile(join(inner, name), 'x');
  const paths = (await readSourceFiles([inner])).map(({ path }) => path);
  expect(paths).toEqual([
    'z_nsd.yaml',
    'a.click',
    'b.nemo',
    'c.xml',
    'd.hot',
    'LICENSE.txt',
    'TOSCA-Metadata/TOSCA.meta',
  ]);
  await writeFile(join(folder, 'all.tgz'), writeTarGz(names.map((path) => ({ path, bytes: Buffer.from('x') }))));
  expect((await readSourceFiles([join(folder, 'all.tgz')])).map(({ path }) => path)).toEqual(paths);
});
