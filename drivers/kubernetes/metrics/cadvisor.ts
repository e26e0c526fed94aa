import { PART, type Sample } from './sample.ts';

/** What cAdvisor of a kubelet tells of containers, in the text format of Prometheus; and in what it is told here. */
const OF_CONTAINER: Readonly<Record<string, readonly [Exclude<keyof Sample, 'traffic' | 'atMs'>, number]>> = {
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

/** What cannot be said of a pod as a whole: its group of processes has none itself. */
const OF_CONTAINER_ALONE = new Set(['container_processes']);

/** What is told of a pod: of its container, of all of it, and of its interface. */
interface Told {
  readonly own: Sample;
  readonly whole: Sample;
  readonly traffic: Sample['traffic'];
}

/**
 * Samples by the name of the pod, of those that are in the namespace. Where the kubelet does not tell containers apart, what
 * the pod takes is taken for what its one container does.
 */
export function readCadvisor(text: string, namespace: string): ReadonlyMap<string, Sample> {
  const told = new Map<string, Told>();
  const inNamespace = `namespace="${namespace}"`;
  for (const line of text.split('\n')) {
    const end = line.indexOf('{');
    const name = line.slice(0, Math.max(end, 0));
    const isKnown = Object.hasOwn(OF_CONTAINER, name) || Object.hasOwn(OF_NETWORK, name);
    if (!isKnown || !line.includes(inNamespace)) continue;
    const close = line.lastIndexOf('}');
    const labels = new Map([...line.slice(end, close).matchAll(LABEL)].map(([, key, value]) => [key!, value!]));
    const pod = labels.get('pod');
    const [value, atMs] = numbersIn(line.slice(close + 1));
    if (pod === undefined || value === undefined) continue;
    const of = told.get(pod) ?? { own: { traffic: {} }, whole: { traffic: {} }, traffic: {} };
    told.set(pod, of);
    take(of, name, labels, value, atMs);
  }
  return new Map([...told].map(([pod, { own, whole, traffic }]) => [pod, { ...whole, ...own, traffic }]));
}

function numbersIn(text: string): readonly (number | undefined)[] {
  const words = text.trim().split(/\s+/);
  return words.map((word) => (word !== '' && Number.isFinite(Number(word)) ? Number(word) : undefined));
}

function take(
  { own, whole, traffic }: Told,
  name: string,
  labels: ReadonlyMap<string, string>,
  value: number,
  atMs: number | undefined,
): void {
  const counter = OF_NETWORK[name];
  if (counter !== undefined) {
    if (labels.get('interface') === INTERFACE) traffic[counter] = value;
    return;
  }
  const isWhole = labels.get('container') === '' && labels.get('name') === '' && !OF_CONTAINER_ALONE.has(name);
  const sample = labels.get('container') === PART ? own : isWhole ? whole : undefined;
  const [field, scale] = OF_CONTAINER[name]!;
  // Of a container that was started again there may be the one before still: the later one is the unit.
  const isOld = atMs !== undefined && sample?.atMs !== undefined && atMs < sample.atMs && sample[field] !== undefined;
  if (sample === undefined || isOld) return;
  sample[field] = value * scale;
  if (atMs !== undefined) sample.atMs = Math.max(sample.atMs ?? 0, atMs);
}
