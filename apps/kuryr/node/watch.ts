import type { Clock, Logger } from '@superfluidity/core';
import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { z } from 'zod';
import { kuryrLoadBalancerSchema } from '../api/load-balancer.ts';
import { kuryrNetworkPolicySchema } from '../api/network-policy.ts';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { EventWriter } from '../kubernetes/events.ts';
import { Informer } from '../kubernetes/informer.ts';
import { nameIn, namespaceIn, ownerIn, type Subject } from '../kubernetes/objects.ts';
import type { NodeTables, ObjectKind, TableKind } from './tables.ts';

export interface TablesWatchParts {
  readonly cluster: Cluster;
  readonly node: string;
  readonly tables: Pick<NodeTables, 'putBalancer' | 'putPolicy' | 'setKnown' | 'onTrouble'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tells the tables of Services and policies of all namespaces, and Kubernetes of what the node cannot carry out, until the signal fires. */
export async function watchTables(parts: TablesWatchParts, signal: AbortSignal): Promise<void> {
  const { cluster, node, tables, clock, log } = parts;
  const events = new EventWriter({ cluster, clock, log, component: 'superfluidity-kuryr-node' });
  /** Uids of Services and NetworkPolicies by kind, namespace and name. */
  const owners = new Map<string, string | undefined>();
  const subject = (kind: TableKind, key: string | undefined): Subject => {
    if (key === undefined) return { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
    const uid = owners.get(`${kind} ${key}`);
    const metadata = { namespace: namespaceIn(key), name: nameIn(key), ...(uid === undefined ? {} : { uid }) };
    return kind === 'services'
      ? { apiVersion: 'v1', kind: 'Service', metadata }
      : { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata };
  };
  tables.onTrouble((kind, key, reason) => {
    log.warn({ kind, key, reason }, 'the node cannot carry this out');
    const isService = kind === 'services';
    const what = isService ? 'KuryrServiceNotServed' : 'KuryrPolicyNotEnforced';
    events.tell(subject(kind, key), { reason: what, message: `on node ${node}: ${reason}`, warning: true });
  });
  const watchOf = <T>(
    kind: ObjectKind,
    resource: { readonly plural: string },
    schema: z.ZodType<T>,
    put: (key: string, now: T | undefined) => void,
  ) => {
    const watch = new Informer<KubeObject>({ cluster, clock, log }, resourcePath(resource));
    watch.on((key, _before, now) => {
      if (now === undefined) {
        owners.delete(`${kind} ${key}`);
        return put(key, undefined);
      }
      owners.set(`${kind} ${key}`, ownerIn(now));
      const parsed = schema.safeParse(now);
      if (parsed.success) return put(key, parsed.data);
      const reason = z.prettifyError(parsed.error).slice(0, 2_000);
      log.warn({ kind, key, reason }, 'an object is not usable');
      put(key, undefined);
    });
    watch.known(signal).then(
      () => tables.setKnown(kind),
      () => {},
    );
    return watch.run(signal);
  };
  await Promise.all([
    watchOf('services', RESOURCES.balancers, kuryrLoadBalancerSchema, (key, now) => tables.putBalancer(key, now)),
    watchOf('policies', RESOURCES.policies, kuryrNetworkPolicySchema, (key, now) => tables.putPolicy(key, now)),
  ]);
  await events.close();
}
