import type { Command } from 'commander';

const INTRODUCTION = `# The command

<!-- Made by \`npm run docs\` from the command itself. Do not edit. -->
`;

/** docs/reference/cli.md: every command with its arguments and options, in the order of the help. */
export function cliPage(program: Command): string {
  return [INTRODUCTION, ...sections(program, program.name())].join('\n');
}

/** All that can be typed: `superfluidity service plan` and the like. */
export function commandPaths(program: Command): readonly string[] {
  const below = (command: Command, path: string): readonly string[] => [
    path,
    ...visible(command).flatMap((child) => names(child).flatMap((name) => below(child, `${path} ${name}`))),
  ];
  return below(program, program.name());
}

/** What a text in code style asks people to type and cannot be typed. A noun may stand without its verb. */
export function unknownCommands(text: string, paths: readonly string[]): readonly string[] {
  const known = new Set(paths);
  return [...text.matchAll(/(?:^ {4}|`|^|npx |sudo )(superfluidity(?: [a-z][a-z-]*\b)+)/gm)].flatMap(([, typed]) => {
    const words = typed!.split(' ');
    const isNoun = paths.some((path) => path.startsWith(`${words.slice(0, 2).join(' ')} `));
    const path = words.slice(0, isNoun ? 3 : 2).join(' ');
    return known.has(path) ? [] : [path];
  });
}

function names(command: Command): readonly string[] {
  return [command.name(), ...command.aliases()];
}

function visible(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
}

function sections(command: Command, path: string): readonly string[] {
  const help = command.createHelp();
  const rows = (title: string, entries: readonly (readonly [string, string])[]) =>
    entries.length === 0
      ? []
      : [
          '',
          `| ${title} | |`,
          '| --- | --- |',
          ...entries.map(([term, text]) => `| \`${cell(term)}\` | ${cell(text)} |`),
        ];
  const children = visible(command);
  return [
    [
      `## ${path}`,
      '',
      '```text',
      `${path} ${command.usage()}`.trimEnd(),
      '```',
      ...(command.description() === '' ? [] : ['', sentence(command.description())]),
      ...rows(
        'command',
        children.map((child) => [child.name(), child.description()]),
      ),
      ...rows(
        'argument',
        help.visibleArguments(command).map((one) => [one.name(), help.argumentDescription(one)]),
      ),
      ...rows(
        'option',
        help
          .visibleOptions(command)
          .filter(({ long }) => long !== '--help')
          .map((one) => [one.flags, help.optionDescription(one)]),
      ),
      '',
    ].join('\n'),
    ...children.flatMap((child) => sections(child, `${path} ${child.name()}`)),
  ];
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
