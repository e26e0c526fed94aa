import { systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { type Applied, applyAll } from './apply.ts';
import { type ChartFile, chartOf } from './chart.ts';
import { type Manifest, manifests } from './manifests.ts';
import { removeAll, type Removed } from './remove.ts';
import { type ManageRequest, readRequest, specOf } from './request.ts';
import { type KuryrStatus, kuryrStatus } from './status.ts';
import { yamlOf } from './text.ts';

export type ManageAnswer =
  | {
      readonly manifests: readonly Manifest[];
      /** The same, as `kubectl` takes it. */
      readonly yaml: string;
      readonly chart: readonly ChartFile[];
    }
  | { readonly applied: readonly Applied[] }
  | Removed
  | KuryrStatus;

const LIMIT_MS = 120_000;

/** What `superfluidity kuryr` asks for. Throws codes of this folder, and those of the API server's answers. */
export async function manage(value: unknown): Promise<ManageAnswer> {
  const request = readRequest(value);
  const { namespace } = request;
  switch (request.do) {
    case 'install': {
      const spec = specOf(request);
      const all = manifests(spec);
      if (request.dryRun) return { manifests: all, yaml: yamlOf(all), chart: chartOf(spec) };
      return { applied: await applyAll(open(request), all, namespace, AbortSignal.timeout(LIMIT_MS)) };
    }
    case 'uninstall': {
      const { waitSeconds, abandon: abandons, keepDefinitions: keepsDefinitions, dryRun } = request;
      const options = { namespace, waitMs: waitSeconds * 1_000, abandons, keepsDefinitions, dryRun };
      return removeAll(open(request), options, AbortSignal.timeout(LIMIT_MS + options.waitMs));
    }
    case 'status':
      return kuryrStatus(open(request), namespace, AbortSignal.timeout(LIMIT_MS));
  }
}

function open({ kubeconfig, context, namespace }: ManageRequest): Cluster {
  const config = readClusterConfig('kuryr', {
    namespace,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  return Cluster.open('kuryr', config, systemClock);
}
