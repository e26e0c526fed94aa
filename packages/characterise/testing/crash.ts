/** Started and killed by run.system.test.ts: experiments that take a while, with their results in the file that is named. */
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@superfluidity/core';
import { readCharacterisation } from '../config/read.ts';
import { exhaustive } from '../choose/strategy.ts';
import type { Deployer } from '../run/deployer.ts';
import { Journal } from '../run/journal.ts';
import { runExperiments } from '../run/run.ts';
import { table7 } from './table-7.ts';

const [file, log] = process.argv.slice(2) as [string, string];
const example = fileURLToPath(new URL('../../../examples/characterise/unified-origin.yaml', import.meta.url));
const read = readCharacterisation(await readFile(example));
if (!('characterisation' in read)) throw new Error('unreadable');
const { characterisation } = read;
const all = table7(characterisation, { samples: 3 });
const say = (line: string) => appendFileSync(log, `${line}\n`);
const deployer: Deployer = {
  deploy: (name) => Promise.resolve(say(`deploy ${name}`)).then(() => ({ addresses: {} })),
  terminate: (name) => Promise.resolve(say(`terminate ${name}`)),
};
const journal = await Journal.open(file, characterisation);
await runExperiments({
  characterisation,
  service: [],
  neighbours: [],
  useCase: { stress: async ({ experiment }) => delay(5).then(() => all[experiment]!.samples) },
  deployer,
  strategy: exhaustive(characterisation),
  journal,
  clock: systemClock,
  signal: new AbortController().signal,
});
await journal.close();
