import { SuperfluidityError } from '@superfluidity/core';
import { type InputFile, policiesJson, policiesText, provePolicies, sarif } from '@superfluidity/verify';
import packageJson from '../package.json' with { type: 'json' };
import { type ClusterChoice, credentials } from '../cluster-choice.ts';
import type { Context } from '../context.ts';
import { writeInto } from '../files-into.ts';
import { codes, readingText } from './answer.ts';
import { looksLikeObjects, readObjects } from './cluster-objects.ts';
import { loadFiles } from './load.ts';

interface PoliciesOptions extends ClusterChoice {
  readonly namespace: string;
  readonly to?: string;
  readonly timeLimit: number;
  readonly maxNodes?: number;
  readonly differences: number;
  readonly nodes: boolean;
  readonly sarif?: true;
}

/** Does what is installed in a cluster enforce its NetworkPolicies, no less and no more? */
export async function policies(context: Context, path: string | undefined, options: PoliciesOptions): Promise<void> {
  const { site, kubeconfig, timeLimit, maxNodes, differences, nodes } = options;
  const given = path === undefined ? [] : await loadFiles(path);
  const isLive = site !== undefined || kubeconfig !== undefined;
  const files = isLive ? [...given, ...(await live(context, given, options))] : given;
  const objects = files.filter(looksLikeObjects);
  if (objects.length === 0)
    throw new SuperfluidityError('SF-CLI-FILE', {
      doing: path === undefined ? 'find the cluster' : `read ${path}`,
      reason: 'there are no objects of a cluster in it',
      hint: 'Put `kubectl get pods,namespaces,nodes,networkpolicies -A -o json` into it, or give --site or --kubeconfig.',
    });
  const report = provePolicies(
    readObjects(objects),
    files.filter((file) => !objects.includes(file)),
    {
      milliseconds: timeLimit * 1_000,
      differences,
      withNodes: nodes,
      ...(maxNodes === undefined ? {} : { diagramNodes: maxNodes }),
    },
  );
  const answers = report.verdicts.map(({ answer }) => answer);
  process.exitCode = codes[(['violated', 'unknown'] as const).find((one) => answers.includes(one)) ?? 'holds'];
  if (options.sarif) {
    context.say(JSON.stringify(sarif(report.verdicts, packageJson.version), undefined, 2));
    return;
  }
  await context.show(policiesJson(report), () =>
    [...report.readings.map(readingText), policiesText(report)].join('\n'),
  );
}

/** Of the cluster, what files do not say. */
async function live(
  context: Context,
  given: readonly InputFile[],
  options: PoliciesOptions,
): Promise<readonly InputFile[]> {
  const { dumpCluster } = await import('./cluster-dump.ts');
  const names = given.map(({ path }) => path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, ''));
  const dumped = await dumpCluster({
    ...(await credentials(context, options)),
    namespace: options.namespace,
    known: new Set(names),
  });
  if (options.to !== undefined) {
    const written = await writeInto(options.to, dumped);
    context.note(`${written.length} files in ${options.to}`);
  }
  return dumped.map(({ name, text }) => ({ path: name, text }));
}
