import { exitCodes } from './exit-codes.ts';
import { isPassedThrough, run } from './run.ts';

const args = process.argv.slice(2);
process.on('SIGINT', () => process.exit(exitCodes.interrupted));
// `superfluidity events | head`: the reader has enough, that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed),
);

process.exitCode = await run(args);
// Streams and keep-alive connections must not hold the process.
if (!isPassedThrough(args[0])) process.stdout.write('', () => process.exit());
