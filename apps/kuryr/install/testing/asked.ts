import { Cluster } from '@superfluidity/driver-kubernetes';
import { vi } from 'vitest';
import type { Rule } from '../rights.ts';

const VERBS = {
  get: 'get',
  list: 'list',
  lines: 'watch',
  create: 'create',
  merge: 'patch',
  apply: 'patch',
  delete: 'delete',
};

/** What accounts of pods ask of the API server from now on, as `VERB GROUP/RESOURCE`, by what their token begins with. */
export function recordAsked(): (token: string) => readonly string[] {
  const asked = new Map<string, Set<string>>();
  for (const [method, verb] of Object.entries(VERBS) as [keyof typeof VERBS, string][]) {
    const original = Cluster.prototype[method] as (this: Cluster, path: string, ...rest: unknown[]) => unknown;
    vi.spyOn(Cluster.prototype, method).mockImplementation(function (this: Cluster, path: string, ...rest: unknown[]) {
      const token = this.kubeConfig.getCurrentUser()?.token;
      if (token !== undefined) {
        if (!asked.has(token)) asked.set(token, new Set());
        asked.get(token)!.add(`${verb} ${resourceIn(path)}`);
      }
      return original.call(this, path, ...rest);
    } as never);
  }
  return (token) => [...(asked.get(token) ?? [])].toSorted();
}

/** `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE`, of which much may be lacking. */
function resourceIn(path: string): string {
  const [, core, group] = /^\/(?:(api)|apis\/([^/]+))\/[^/]+\//.exec(path) ?? [];
  const parts = path.split('/').slice(core === undefined ? 4 : 3);
  const within = parts[0] === 'namespaces' && parts.length > 2 ? parts.slice(2) : parts;
  const [resource, , subresource] = within;
  return `${group ?? ''}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

export const allowedBy = (rules: readonly Rule[]): readonly string[] =>
  [
    ...new Set(
      rules.flatMap(({ apiGroups: [group], resources, verbs }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  ].toSorted();
