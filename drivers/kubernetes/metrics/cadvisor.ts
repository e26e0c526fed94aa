import { PART, type Sample } from './sample.ts';

/** What cAdvisor of a kubelet tells of containers, in the text format of Prometheus; and in what it is told here. */
const OF_CONTAINER: Readonly<Record<string, readonly [keyof Sample, number]>> = {
  container_cpu_usage_seconds_total: ['cpuMs', 1_000],
  container_cpu_cfs_throttled_seconds_total: ['throttledMs', 1_000],
  container_memory_working_set_bytes: ['memoryBytes', 1],
  container_processes: ['processes', 1],
};
/** Of the pod, which has the interfaces. */
const OF_NETWORK: Readonly<Record<string, keyof Sample['traffic']>> = {
  container_network_receive_bytes_total: 'rxBytes',
  container_network_receive_packets_total: 'rxPackets',
  container_network_transmit_bytes_total: 'txBytes',
  container_network_transmit_packets_total: 'txPackets',
  container_network_receive_packets_dropped_total: 'rxDropped',
  container_network_transmit_packets_dropped_total: 'txDropped',
};
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const INTERFACE = 'eth0';

/** Samples by the name of the pod, of those that are in the namespace. */
export function readCadvisor(text: string, namespace: string): ReadonlyMap<string, Sample> {
  const samples = new Map<string, Sample>();
  const inNamespace = `namespace="${namespace}"`;
  for (const line of text.split('\n')) {
    const end = line.indexOf('{');
    const name = line.slice(0, Math.max(end, 0));
    if (!(Object.hasOwn(OF_CONTAINER, name) || Object.hasOwn(OF_NETWORK, name)) || !line.includes(inNamespace))
      continue;
    const close = line.lastIndexOf('}');
    const labels = new Map([...line.slice(end, close).matchAll(LABEL)].map(([, key, value]) => [key!, value!]));
    const pod = labels.get('pod');
    const [value, atMs] = line
      .slice(close + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (pod === undefined || value === undefined || !Number.isFinite(value)) continue;
    const sample = samples.get(pod) ?? { traffic: {} };
    samples.set(pod, sample);
    take(sample, name, labels, value, atMs);
  }
  return samples;
}

/** Of a container that was started again there may be the one before still: the later one is the unit. */
function take(
  sample: Sample,
  name: string,
  labels: ReadonlyMap<string, string>,
  value: number,
  atMs: number | undefined,
): void {
  const time = atMs !== undefined && Number.isFinite(atMs) ? atMs : undefined;
  const traffic = OF_NETWORK[name];
  if (traffic !== undefined) {
    if (labels.get('interface') === INTERFACE) sample.traffic[traffic] = value;
    return;
  }
  const [field, scale] = OF_CONTAINER[name]!;
  if (labels.get('container') !== PART) return;
  if (time !== undefined && sample.atMs !== undefined && time < sample.atMs && sample[field] !== undefined) return;
  if (field === 'traffic' || field === 'atMs') return;
  sample[field] = value * scale;
  if (time !== undefined) sample.atMs = Math.max(sample.atMs ?? 0, time);
}
