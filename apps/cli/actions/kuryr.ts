import { spawn } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { append, SuperfluidityError } from '@superfluidity/core';
import type { Context } from '../context.ts';
import '../errors.ts';
import { writeInto } from '../files-into.ts';
import { facts, table } from '../print/table.ts';
import { type ClusterChoice, credentials } from '../cluster-choice.ts';
import { readYamlFile } from '../yaml-file.ts';

interface Where extends ClusterChoice {
  readonly namespace: string;
}

export interface InstallOptions extends Where {
  readonly fabric?: string;
  readonly cluster?: string;
  readonly subnet?: string;
  readonly group?: readonly string[];
  readonly config?: string;
  readonly image: string;
  readonly cloudsSecret: string;
  readonly apiServer?: { readonly host: string; readonly port: number };
  readonly cniBin: string;
  readonly cniConf: string;
  readonly runFolder: string;
  readonly trunkDevice?: string;
  readonly trunkBridge?: string;
  readonly nodeLabel: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly dryRun: boolean;
  readonly chart?: string;
}

interface Planned {
  readonly manifests: readonly object[];
  readonly yaml: string;
  readonly chart: readonly { readonly path: string; readonly text: string }[];
}

interface Applied {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly effect: string;
}

export async function install(context: Context, options: InstallOptions): Promise<void> {
  const { site, cluster = site, group, nodeLabel, trunkDevice, trunkBridge, config, chart, ...others } = options;
  const dryRun = options.dryRun || chart !== undefined;
  const { kubeconfig: _file, context: _name, ...rest } = others;
  const request = {
    ...rest,
    do: 'install',
    dryRun,
    ...(cluster === undefined ? {} : { cluster }),
    ...(group === undefined ? {} : { groups: group }),
    ...(config === undefined ? {} : { config: await readYamlFile(config) }),
    nodes: nodeLabel,
    trunk: {
      ...(trunkDevice === undefined ? {} : { device: trunkDevice }),
      ...(trunkBridge === undefined ? {} : { bridge: trunkBridge }),
    },
    ...(dryRun ? {} : await credentials(context, options)),
  };
  if (dryRun) {
    const { manifests, yaml, chart: files } = await ask<Planned>(request);
    if (chart !== undefined) {
      const written: string[] = [];
      for (const { path, text } of files)
        append(written, await writeInto(join(chart, dirname(path)), [{ name: basename(path), text }]));
      await context.show({ files: written }, () => `${written.length} files in ${chart}`);
    } else if (context.options.output === 'json')
      context.say(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, undefined, 2));
    else context.say(yaml.trimEnd());
    return;
  }
  const answer = await ask<{ readonly applied: readonly Applied[] }>(request);
  await context.show(answer, () =>
    table(answer.applied, [
      { title: 'KIND', value: (one) => one.kind },
      { title: 'NAME', value: (one) => one.name },
      { title: 'NAMESPACE', value: (one) => one.namespace },
      { title: 'IS', value: (one) => one.effect },
    ]),
  );
}

export interface UninstallOptions extends Where {
  readonly wait: number;
  readonly abandon: boolean;
  readonly keepDefinitions: boolean;
  readonly dryRun: boolean;
}

export async function uninstall(context: Context, options: UninstallOptions): Promise<void> {
  const { namespace, wait: waitSeconds, abandon, keepDefinitions, dryRun } = options;
  const wish = { do: 'uninstall', namespace, waitSeconds, abandon, keepDefinitions, dryRun };
  const answer = await ask<{ readonly removed: readonly string[]; readonly stays: readonly string[] }>({
    ...wish,
    ...(await credentials(context, options)),
  });
  await context.show(answer, () =>
    [
      ...answer.removed.map((one) => `${dryRun ? 'would go' : 'removed'}  ${one}`),
      ...answer.stays.map((one) => `stays    ${one}`),
      ...(answer.removed.length + answer.stays.length === 0 ? ['nothing is installed there'] : []),
    ].join('\n'),
  );
}

interface Status {
  readonly namespace: string;
  readonly installed: boolean;
  readonly cluster?: string;
  readonly image?: string;
  readonly controller: { readonly ready: number; readonly wanted: number };
  readonly daemons: { readonly ready: number; readonly wanted: number };
  readonly leader?: string;
  readonly definitions: number;
  readonly pools: { readonly count: number; readonly ready: number; readonly inUse: number };
  readonly objects: Readonly<Record<string, number>>;
}

export async function status(context: Context, options: Where): Promise<void> {
  const { namespace } = options;
  const answer = await ask<Status>({ do: 'status', namespace, ...(await credentials(context, options)) });
  const share = ({ ready, wanted }: Status['controller']) => `${ready}/${wanted} ready`;
  await context.show(answer, () =>
    facts([
      ['installed', `${answer.installed ? 'yes' : 'no'}, in namespace ${answer.namespace}`],
      ['cluster', answer.cluster],
      ['image', answer.image],
      ['controller', share(answer.controller)],
      ['leader', answer.leader],
      ['daemons', share(answer.daemons)],
      ['definitions', answer.definitions],
      ['pools', `${answer.pools.count}, with ${answer.pools.ready} ports ready and ${answer.pools.inUse} in use`],
      ...Object.entries(answer.objects).map(([kind, count]) => [kind, count] as const),
    ]),
  );
}

const program = fileURLToPath(new URL('../../kuryr/main.ts', import.meta.url));
const ANSWER_BYTES_MAX = 16_000_000;

/** A process of its own: nothing imports an app. Throws the error that it reports. */
async function ask<T>(request: object): Promise<T> {
  const child = spawn(process.execPath, [program, 'manage'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done, fail) => child.once('error', fail).once('close', () => done()));
  ended.catch(() => {});
  // One that ended early takes no request; what it said tells why.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(request));
  let text = '';
  for await (const piece of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
    text += piece;
    if (text.length > ANSWER_BYTES_MAX) {
      child.kill('SIGKILL');
      const reason = `the answer has more than ${ANSWER_BYTES_MAX} characters`;
      throw new SuperfluidityError('SF-CORE-LIMIT', { doing: 'ask for Kuryr', reason });
    }
  }
  await ended;
  const answer = JSON.parse(text) as { readonly result?: T; readonly error?: object };
  // As the API's errors: the whole chain is printed.
  if (answer.error !== undefined) throw Object.assign(new Error('kuryr'), { report: answer.error });
  return answer.result!;
}
