import { benchAlgorithms } from './algorithms/index.ts';
import { benchConsole } from './console/index.ts';
import { benchDesign } from './design/index.ts';
import { benchDialects } from './dialects/index.ts';
import { benchKuryr } from './kuryr/index.ts';
import { benchLearn } from './learn/index.ts';
import { benchOcm } from './ocm/index.ts';
import { benchOpenstack } from './openstack/index.ts';
import { benchProvision } from './provision/index.ts';
import { benchScale } from './scale/index.ts';
import { benchVerify } from './verify/index.ts';

/** `npm run bench -- NAME [options]`. */
const benches: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  algorithms: benchAlgorithms,
  console: benchConsole,
  design: benchDesign,
  dialects: benchDialects,
  kuryr: benchKuryr,
  learn: benchLearn,
  ocm: benchOcm,
  openstack: benchOpenstack,
  provision: benchProvision,
  scale: benchScale,
  verify: benchVerify,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME [options]\nBenches: ${Object.keys(benches).join(', ')}\n`);
  process.exitCode = 2;
} else await bench(args);
