import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { cliPage, commandPaths, unknownCommands } from './cli-page.ts';

const program = new Command('superfluidity').description('the control plane');
const site = program.command('site').description('sites');
site
  .command('add <name>')
  .alias('new')
  .description('declare a site')
  .option('--kind <kind>', 'linux | simulated', 'linux');

describe('the page of the command', () => {
  it('lists what can be typed, with arguments and options', () => {
    expect(commandPaths(program)).toEqual([
      'superfluidity',
      'superfluidity site',
      'superfluidity site add',
      'superfluidity site new',
    ]);
    const page = cliPage(program);
    expect(page).toContain('## superfluidity site add\n\n```text\nsuperfluidity site add [options] <name>\n```');
    expect(page).toContain('Declare a site.');
    expect(page).toContain('| `--kind <kind>` | linux \\| simulated (default: "linux") |');
    expect(page).not.toContain('--help');
  });

  it('knows which commands of a text cannot be typed', () => {
    const text =
      '`superfluidity site add x`\n    npx superfluidity site del\n```sh\nsuperfluidity fly\n```\nsuperfluidity is';
    expect(unknownCommands(text, commandPaths(program))).toEqual([
      'superfluidity site del',
      'superfluidity fly',
      'superfluidity is',
    ]);
    expect(unknownCommands('the `superfluidity` command, a superfluidity of words', commandPaths(program))).toEqual([]);
  });
});
