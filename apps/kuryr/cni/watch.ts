import { type Clock, type Logger, reportError } from '@superfluidity/core';
import { type Cluster, type KubeObject, kuryrPoolSchema, ObjectWatch } from '@superfluidity/driver-kubernetes';
import { z } from 'zod';
import { kuryrPortSchema, NODE_LABEL } from '../api/port.ts';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { type PortSink, podKey } from './registry.ts';
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

const keyOf = ({ metadata: { namespace = '', name } }: KubeObject) => podKey(namespace, name);

/** Tells the registry of the ports of this node's pods, and of no others, until the signal fires. */
export function watchPorts({ sink, ...parts }: WatchParts, signal: AbortSignal): Promise<void> {
  const { node, log } = parts;
  const tell = (key: string, object: KubeObject | undefined, { namespace = '', name }: KubeObject['metadata']) => {
    if (object === undefined) return sink.remove(namespace, name);
    const parsed = kuryrPortSchema.safeParse(object);
    if (parsed.success && parsed.data.spec.node === node) return sink.put(parsed.data);
    // Whoever may write such objects can write anything: this one is none of ours, and the others go on.
    const reason = parsed.success ? 'its node is another' : z.prettifyError(parsed.error);
    log.warn({ pod: key, reason: reason.slice(0, 2_000) }, 'a port is not usable');
    sink.remove(namespace, name);
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
  { cluster, node, clock, log }: NodeParts,
  resource: { readonly plural: string },
  tell: (key: string, object: KubeObject | undefined, metadata: KubeObject['metadata']) => void,
  onKnown: () => void,
  signal: AbortSignal,
): Promise<void> {
  const watch = new ObjectWatch<KubeObject>({
    world: { name: 'kuryr', cluster, clock, log },
    path: resourcePath(resource),
    query: { labelSelector: `${NODE_LABEL}=${node}` },
    keyOf,
    onChange: (before, now) => {
      const object = (now ?? before)!;
      tell(keyOf(object), now, object.metadata);
    },
  });
  watch.start();
  watch.known(signal).then(onKnown, () => {});
  return new Promise((resolve) => {
    const stop = () =>
      void watch
        .stop()
        .catch((error: unknown) => log.warn({ error: reportError(error) }, 'the watch did not end as it should'))
        .then(resolve);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
