import type { Execution } from '@superfluidity/model';
import { at, listOf, same } from '../groups.ts';
import { portableYaml } from '../yaml-portable.ts';
import { readYamlText } from '../yaml-text.ts';

/**
 * What a guest does when it boots (cloud-init, cloud-config): it forwards, loads a ruleset, runs a command. Only what was written
 * in this form is read again; what others tell a guest to do is theirs.
 */
const HEAD = '#cloud-config\n';
const RULESET = '/etc/superfluidity/program.nft';
const FORWARD = ['sysctl', '-w', 'net.ipv4.ip_forward=1'];
const LOAD = ['nft', '-f', RULESET];
/** Variables are set for what follows. */
const WITH = ['sh', '-c', 'exec "$@"', 'sh'];

type Told = Pick<Execution, 'command' | 'env' | 'program' | 'forwards'>;

export function userData({ command, env = {}, program, forwards }: Told): string | undefined {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const commands = [
    ...(forwards === true ? [FORWARD] : []),
    ...(program === undefined ? [] : [LOAD]),
    ...(command === undefined ? [] : [variables.length === 0 ? command : ['env', ...variables, ...WITH, ...command]]),
  ];
  if (commands.length === 0) return undefined;
  const files =
    program === undefined ? {} : { packages: ['nftables'], write_files: [{ path: RULESET, content: program }] };
  return HEAD + portableYaml({ ...files, runcmd: commands });
}

/** The reverse. Undefined where the text is not of that form. */
export function toldBy(text: string): Told | undefined {
  if (!text.startsWith(HEAD) || text.length > 262_144) return undefined;
  const { value } = readYamlText(new TextEncoder().encode(text));
  const program = at(value, 'write_files', 0, 'content');
  const commands = listOf(at(value, 'runcmd'));
  const forwards = same(commands[0] ?? null, FORWARD);
  const left = commands.slice((forwards ? 1 : 0) + (typeof program === 'string' ? 1 : 0));
  const [line] = left;
  const words = listOf(line);
  if (left.length > 1 || !words.every((word) => typeof word === 'string')) return undefined;
  const told: Told = {
    ...(typeof program === 'string' ? { program } : {}),
    ...(forwards ? { forwards } : {}),
    ...(line === undefined ? {} : commandOf(words)),
  };
  return userData(told) === text ? told : undefined;
}

function commandOf(words: readonly string[]): Told {
  const start = words.findIndex((_, i) => same(words.slice(i, i + WITH.length), WITH));
  if (words[0] !== 'env' || start === -1) return { command: words };
  const variables = words.slice(1, start).map((word) => {
    const equals = word.indexOf('=');
    return [word.slice(0, equals), word.slice(equals + 1)] as const;
  });
  return { env: Object.fromEntries(variables), command: words.slice(start + WITH.length) };
}
