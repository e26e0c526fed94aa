import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { Daemon, type DaemonOptions } from '../../apps/kuryr/cni/daemon.ts';
import { watchPools, watchPorts } from '../../apps/kuryr/cni/watch.ts';

/** `kuryr daemon` of a node that may be a network namespace, from where the API server could not be reached. */
const { kubeconfig, ...options } = JSON.parse(process.argv[2]!) as DaemonOptions & { readonly kubeconfig: string };
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const daemon = await Daemon.open({ ...options, log: silentLogger });
const cluster = Cluster.open('kuryr', readClusterConfig('kuryr', { kubeconfig }), systemClock);
const parts = { cluster, node: options.node, clock: systemClock, log: silentLogger };
const sink = {
  put: daemon.ports.put.bind(daemon.ports),
  remove: daemon.ports.remove.bind(daemon.ports),
  setKnown: (isKnown: boolean) => {
    daemon.ports.setKnown(isKnown);
    if (isKnown) process.stdout.write('known\n');
  },
};
await Promise.all([
  watchPorts({ ...parts, sink }, stop.signal),
  watchPools({ ...parts, sink: daemon.spares }, stop.signal),
]);
await daemon.close();
