import { silentLogger, systemClock } from '@superfluidity/core';
import { linuxDriver } from './index.ts';

/** Opens a terminal and types, to be killed while it is open: `testing-terminal.ts SITE-ID STATE-FOLDER UNIT TEXT`. */
const [id, stateFolder, unit, text] = process.argv.slice(2);
const site = await linuxDriver.open({
  id: id!,
  name: 'trial',
  config: {},
  stateFolder: stateFolder!,
  clock: systemClock,
  log: silentLogger,
});
const terminal = await site.terminals!.open(unit!, { columns: 80, rows: 24 }, AbortSignal.timeout(60_000));
await terminal.write(new TextEncoder().encode(`${text}\n`));
for await (const piece of terminal.output) process.stdout.write(piece);
