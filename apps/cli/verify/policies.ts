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
  readonly cloud?: string;
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
  if (options.cloud !== undefined && !isLive)
    throw new SuperfluidityError('SF-CLI-USAGE', {
      doing: 'find ports of pods in the cloud',
      reason: 'which port a pod has, its cluster says: give --site or --kubeconfig beside --cloud',
    });
  const { files: asked, doubts, unasked } = isLive ? await live(context, given, options) : NOT_LIVE;
  const files = [...given, ...asked];
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
      doubts,
      ...(maxNodes === undefined ? {} : { diagramNodes: maxNodes }),
    },
  );
  if (unasked > 0 && report.notCompared.length > 0)
    context.note(`${unasked} pods have ports in a cloud, which was not asked: name it with --cloud`);
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

interface Live {
  readonly files: readonly InputFile[];
  readonly doubts: readonly string[];
  /** Pods with a port in a cloud that was not asked. */
  readonly unasked: number;
}

const NOT_LIVE: Live = { files: [], doubts: [], unasked: 0 };

/** Of the cluster, what files do not say. */
async function live(context: Context, given: readonly InputFile[], options: PoliciesOptions): Promise<Live> {
  const { dumpCluster } = await import('./cluster-dump.ts');
  const names = given.map(({ path }) => path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, ''));
  const { cloud } = options;
  const { files, changed, unasked } = await dumpCluster({
    ...(await credentials(context, options)),
    namespace: options.namespace,
    known: new Set(names),
    ...(cloud === undefined ? {} : { cloud }),
  });
  if (options.to !== undefined) {
    const written = await writeInto(options.to, files);
    context.note(`${written.length} files in ${options.to}`);
  }
  return {
    files: files.map(({ name, text }) => ({ path: name, text })),
    doubts: changed.map((one) => `${one}, changed while rules were read`),
    unasked,
  };
}
