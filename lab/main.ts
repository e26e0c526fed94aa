import { SuperfluidityError } from '@superfluidity/core';
import { kubernetesCommand } from './kubernetes/main.ts';
import { openstackCommand } from './openstack/main.ts';

/** Laboratories, by their name on the command line. */
const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  openstack: openstackCommand,
  kubernetes: kubernetesCommand,
};

const usage = `Usage: npm run lab -- ${Object.keys(COMMANDS).join('|')} up|down|status [NAME...] [options]

\`npm run lab -- KIND --help\` says more.
`;

const [kind = '', ...args] = process.argv.slice(2);
const command = COMMANDS[kind];
try {
  if (command === undefined) {
    const isAsked = kind === '--help';
    process[isAsked ? 'stdout' : 'stderr'].write(usage);
    if (!isAsked) process.exitCode = 2;
  } else await command(args);
} catch (error) {
  if (!(error instanceof SuperfluidityError)) throw error;
  const { request, answer } = error.details;
  const lines = [
    `${error.code}: ${error.message}`,
    ...(request === undefined ? [] : [`  request: ${request}`]),
    ...(answer === undefined || answer === '' ? [] : [`  answer: ${answer}`]),
    `  ${error.hint}`,
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
