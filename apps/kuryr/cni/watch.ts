import { type Clock, type Logger, reportError } from '@superfluidity/core';
import { type Cluster, type KubeObject, ObjectWatch } from '@superfluidity/driver-kubernetes';
import { z } from 'zod';
import { kuryrPortSchema, NODE_LABEL } from '../api/port.ts';
import { RESOURCES, resourcePath } from '../api/resources.ts';
import { type PortSink, podKey } from './registry.ts';

export interface WatchParts {
  readonly cluster: Cluster;
  readonly node: string;
  readonly sink: PortSink;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tells the registry of the ports of this node's pods, and of no others, until the signal fires. */
export function watchPorts({ cluster, node, sink, clock, log }: WatchParts, signal: AbortSignal): Promise<void> {
  const keyOf = ({ metadata: { namespace = '', name } }: KubeObject) => podKey(namespace, name);
  const watch = new ObjectWatch<KubeObject>({
    world: { name: 'kuryr', cluster, clock, log },
    path: resourcePath(RESOURCES.ports),
    query: { labelSelector: `${NODE_LABEL}=${node}` },
    keyOf,
    onChange: (before, now) => {
      const { namespace = '', name } = (now ?? before)!.metadata;
      if (now === undefined) return sink.remove(namespace, name);
      const parsed = kuryrPortSchema.safeParse(now);
      if (parsed.success && parsed.data.spec.node === node) return sink.put(parsed.data);
      // Whoever may write such objects can write anything: this one is none of ours, and the others go on.
      const reason = parsed.success ? 'its node is another' : z.prettifyError(parsed.error);
      log.warn({ pod: podKey(namespace, name), reason: reason.slice(0, 2_000) }, 'a port is not usable');
      sink.remove(namespace, name);
    },
  });
  watch.start();
  watch.known(signal).then(
    () => sink.setKnown(true),
    () => {},
  );
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
