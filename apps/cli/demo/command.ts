import { largest } from '@superfluidity/core';
import { Command, Option } from 'commander';
import { startControlPlane } from './control-plane.ts';
import { type DemoResult, tellStory } from './story.ts';

/** `superfluidity demo`. Exit code 0 only if every claim was measured and holds. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('deploy a mobile edge service on two sites of this machine, move it while it is used, and clear up')
    .addOption(
      new Option('--video <environment>', 'what the video server is').choices(['container', 'vm']).default('container'),
    )
    .addOption(
      new Option('--watch <seconds>', 'how long to stream before and after the move').default(4).argParser(Number),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nStarts a control plane of its own on a free port, with its state in a temporary folder.\nWithout root on Linux the sites are simulated; the result says so.',
    )
    .action(
      async (options: { readonly video: 'container' | 'vm'; readonly watch: number; readonly json?: boolean }) => {
        const began = Date.now();
        const tell = (line: string) =>
          process.stderr.write(`${((Date.now() - began) / 1_000).toFixed(2).padStart(6)} s  ${line}\n`);
        const result = await tellStory(startControlPlane, {
          variant: options.video,
          watchMs: Math.max(0.5, Math.min(options.watch || 4, 600)) * 1_000,
          tell,
        });
        process.stdout.write(options.json === true ? `${JSON.stringify(result, undefined, 2)}\n` : table(result));
        if (!result.claims.every((claim) => claim.holds)) process.exitCode = 1;
      },
    );
}

function table({ claims }: DemoResult): string {
  const width = largest(claims.map(({ claim }) => claim.length));
  return `\n${claims.map(({ claim, measured, holds }) => `${holds ? 'yes' : 'NO '}  ${claim.padEnd(width)}  ${measured}`).join('\n')}\n`;
}
