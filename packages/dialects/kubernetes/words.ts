/** Names of labels and annotations. Ours have the prefix `superfluidity/`, which is a DNS label of the cluster's own. */
export const labels = {
  /** Recommended labels (kubernetes.io, Labels, Annotations and Taints): function, unit, service. */
  name: 'app.kubernetes.io/name',
  component: 'app.kubernetes.io/component',
  partOf: 'app.kubernetes.io/part-of',
  version: 'app.kubernetes.io/version',
  managedBy: 'app.kubernetes.io/managed-by',
  hostname: 'kubernetes.io/hostname',
  zone: 'topology.kubernetes.io/zone',
} as const;

export const notes = {
  description: 'kubernetes.io/description',
  /** Network Plumbing Working Group: multi-network de-facto standard v1.3. */
  networks: 'k8s.v1.cni.cncf.io/networks',
  policyFor: 'k8s.v1.cni.cncf.io/policy-for',
  /** Multus: the network of eth0, instead of that of the cluster. */
  defaultNetwork: 'v1.multus-cni.io/default-network',
  /** Version of the service, where it is no value of a label. */
  version: 'superfluidity/version',
  /** Environment of the unit, where it is another than `pod`. */
  environment: 'superfluidity/environment',
  /** Description of the function, beside that of its first unit. */
  function: 'superfluidity/function-description',
  /** Names of ports with the names of their interfaces, in order: `[["wan","net1"]]`. */
  ports: 'superfluidity/ports',
  /** What stands there only because something has to. */
  assumed: 'superfluidity/assumed',
} as const;

export const apis = {
  attachment: 'k8s.cni.cncf.io/v1',
  multiPolicy: 'k8s.cni.cncf.io/v1beta1',
  virtualMachine: 'kubevirt.io/v1',
} as const;

/** The programs of packet functions run in an image that has `nft`; what holds their network open is the pause of pods. */
export const images = {
  nft: 'docker.io/nicolaka/netshoot:v0.13',
  pause: 'registry.k8s.io/pause:3.10',
} as const;

/** Where the ruleset of a packet function is mounted. */
export const program = { volume: 'superfluidity-program', folder: '/etc/superfluidity', file: 'program.nft' } as const;

export const FORWARDING = 'net.ipv4.ip_forward';

/** Syntax of the values of labels. */
export const isLabelValue = (text: string): boolean =>
  /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text);
