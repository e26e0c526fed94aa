import { SuperfluidityError } from '@superfluidity/core';
import type { BalancerSpec } from '@superfluidity/fabric';
import { LIMITS } from '../config.ts';
import { LABELS } from '../marks.ts';
import type { Condition, KubeObject } from '../objects.ts';
import type { World } from '../world.ts';

export const ROUTES = 'route.openshift.io/v1';

interface Route extends KubeObject {
  readonly spec?: { readonly host?: string };
  readonly status?: {
    readonly ingress?: readonly { readonly host?: string; readonly conditions?: readonly Condition[] }[];
  };
}

/** A balancer that the routers of OpenShift reach from outside, where the site says so. Resolves when one has taken it. */
export async function ensureRoute(world: World, spec: BalancerSpec, doing: string, signal: AbortSignal): Promise<void> {
  const { cluster, config, marks, clock } = world;
  const wanted = config.services.routes[spec.name];
  if (wanted === undefined) return;
  const name = marks.balancerName(spec.id);
  const path = cluster.path('routes', name, ROUTES);
  const { host, tls } = wanted;
  const object = {
    apiVersion: ROUTES,
    kind: 'Route',
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: marks.labels({ [LABELS.service]: spec.service, [LABELS.balancer]: spec.id }),
    },
    spec: {
      ...(host === undefined ? {} : { host }),
      to: { kind: 'Service', name, weight: 100 },
      port: { targetPort: spec.port },
      wildcardPolicy: 'None',
      ...(tls === undefined ? {} : { tls: { termination: tls } }),
    },
  };
  await cluster.apply<Route>(path, object, signal);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.outsideMs)]);
  for (;;) {
    const admitted = admission(await cluster.get<Route>(path, limited));
    if (admitted?.status === 'True') return;
    const reason = admitted?.status === 'False' ? `${admitted.reason}: ${admitted.message}` : 'no router has taken it';
    const isOver = admitted?.status === 'False' || limited.aborted;
    if (isOver)
      throw new SuperfluidityError('SF-KUBE-SERVICE', { doing, reason: `its route is not served: ${reason}` });
    await clock.sleep(LIMITS.pauseMs, limited).catch(() => signal.throwIfAborted());
  }
}

/** Refuses a route where there are none, or of what no router carries. */
export async function checkRoute(world: World, spec: BalancerSpec, doing: string, signal: AbortSignal): Promise<void> {
  if (world.config.services.routes[spec.name] === undefined) return;
  await world.discovery.refuseWithout(ROUTES, `the route of balancer ${spec.name}`, doing, signal);
  if (spec.layer === 'tcp') return;
  throw new SuperfluidityError('SF-KUBE-SERVICE', {
    doing,
    reason: `routers carry HTTP and TLS, and not what is of layer ${spec.layer}`,
  });
}

export async function removeRoute(
  { cluster, config, marks, discovery }: World,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  if (Object.keys(config.services.routes).length === 0) return;
  if (!(await discovery.groups(signal)).has('route.openshift.io')) return;
  await cluster.delete(cluster.path('routes', marks.balancerName(id), ROUTES), undefined, signal);
}

function admission(route: Route | undefined): Condition | undefined {
  const all = (route?.status?.ingress ?? []).flatMap(({ conditions = [] }) => conditions);
  const admitted = all.filter(({ type }) => type === 'Admitted');
  return admitted.find(({ status }) => status === 'True') ?? admitted[0];
}
