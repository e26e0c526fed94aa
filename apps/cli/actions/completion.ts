import type { Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Words that may follow a path of commands; made from the program itself, so that it is never out of date. */
export function completionWords(program: Command): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, readonly string[]>();
  const globals = program.options.map((option) => option.long ?? '').filter((name) => name !== '');
  const visit = (command: Command, path: string): void => {
    const own =
      command === program ? [] : command.options.map((option) => option.long ?? '').filter((name) => name !== '');
    const visible = command.commands.filter((one) => one.name() !== 'help');
    words.set(path, [...visible.map((one) => one.name()), ...own, ...globals, '--help']);
    for (const child of visible) visit(child, `${path} ${child.name()}`.trim());
  };
  visit(program, '');
  return words;
}

export function completionScript(program: Command, shell: Shell): string {
  const words = [...completionWords(program)];
  if (shell === 'fish') return fish(words);
  const cases = words.map(([path, next]) => `    '${path}') words='${next.join(' ')}' ;;`).join('\n');
  const bash = `_superfluidity() {
  local path='' word words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${cases}
    esac
    [ -n "$words" ] && break
    case "$path" in *' '*) path="\${path% *}" ;; *) path='' ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}") $(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _superfluidity superfluidity
`;
  return shell === 'zsh' ? `autoload -Uz compinit bashcompinit && compinit && bashcompinit\n${bash}` : bash;
}

function fish(words: readonly (readonly [string, readonly string[]])[]): string {
  return words
    .map(([path, next]) => {
      const seen = path.split(' ').filter((word) => word !== '');
      const where = seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ') || '__fish_use_subcommand';
      return `complete -c superfluidity -n '${where}' -a '${next.join(' ')}'`;
    })
    .join('\n')
    .concat('\n');
}
