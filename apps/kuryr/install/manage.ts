import { systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { type Applied, applyAll } from './apply.ts';
import { type Manifest, manifests } from './manifests.ts';
import { removeAll, type Removed } from './remove.ts';
import { type ManageRequest, readRequest, specOf } from './request.ts';
import { type KuryrStatus, kuryrStatus } from './status.ts';

export type ManageAnswer =
  | { readonly manifests: readonly Manifest[] }
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
      const all = manifests(specOf(request));
      if (request.dryRun) return { manifests: all };
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
