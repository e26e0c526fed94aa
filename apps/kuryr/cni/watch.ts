import type { Clock, Logger } from '@superfluidity/core';
import type { Cluster, KubeObject } from '@superfluidity/driver-kubernetes';
import { kuryrPoolSchema, kuryrPortSchema } from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';
import { NODE_LABEL } from '../api/port.ts';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { Informer } from '../kubernetes/informer.ts';
import { nameIn, namespaceIn } from '../kubernetes/objects.ts';
import type { PortSink } from './registry.ts';
import type { SpareSink } from './spares.ts';

interface NodeParts {
  readonly cluster: Cluster;
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WatchParts extends NodeParts {
  readonly sink: PortSink;
}

/** Tells the registry of the ports of this node's pods, and of no others, until the signal fires. */
export function watchPorts({ sink, ...parts }: WatchParts, signal: AbortSignal): Promise<void> {
  const { node, log } = parts;
  const tell = (key: string, object: KubeObject | undefined) => {
    const parsed = object === undefined ? undefined : kuryrPortSchema.safeParse(object);
    if (parsed?.success === true && parsed.data.spec.node === node) return sink.put(parsed.data);
    if (parsed !== undefined) {
      // Whoever may write such objects can write anything: this one is none of ours, and the others go on.
      const reason = parsed.success ? 'its node is another' : z.prettifyError(parsed.error);
      log.warn({ pod: key, reason: reason.slice(0, 2_000) }, 'a port is not usable');
    }
    sink.remove(namespaceIn(key), nameIn(key));
  };
  return watchOwn(parts, RESOURCES.ports, tell, () => sink.setKnown(true), signal);
}

/** Tells what lies ready in the pools of this node, until the signal fires. */
export function watchPools(
  { sink, ...parts }: NodeParts & { readonly sink: SpareSink },
  signal: AbortSignal,
): Promise<void> {
  const tell = (key: string, object: KubeObject | undefined) => {
    const parsed = object === undefined ? undefined : kuryrPoolSchema.safeParse(object);
    if (parsed?.success === false)
      parts.log.warn({ pool: key, reason: z.prettifyError(parsed.error).slice(0, 2_000) }, 'a pool cannot be read');
    sink.tell(key, parsed?.data?.status?.spares);
  };
  return watchOwn(parts, RESOURCES.pools, tell, () => sink.setKnown(), signal);
}

/** Objects with the label of this node. */
function watchOwn(
  { node, ...world }: NodeParts,
  resource: { readonly plural: string },
  tell: (key: string, object: KubeObject | undefined) => void,
  onKnown: () => void,
  signal: AbortSignal,
): Promise<void> {
  const informer = new Informer<KubeObject>(world, resourcePath(resource), { labelSelector: `${NODE_LABEL}=${node}` });
  informer.on((key, _before, now) => tell(key, now));
  informer.known(signal).then(onKnown, () => {});
  return informer.run(signal);
}
