/** Bounds of the daemon. Those in front of it are in executable/kuryr-cni.c. */
export const LIMITS = {
  /** Of a request, and of an answer: what the executable takes. */
  messageBytes: 2 ** 20,
  /** Connections at a time, one for each request: those above are closed, and the runtime tries again. */
  connections: 512,
  /** Pods that are plugged or unplugged at a time; those that wait for something do not count. */
  atOnce: 16,
  preparedAtOnce: 4,
  /** What is plugged before a pod has it. */
  spares: 1_024,
  /** How long that stays when nobody wants it: the pool and the pod are told of apart. */
  graceMs: 60_000,
  /** From the first byte of a request to its last. */
  readMs: 10_000,
  /** An interface is to be plugged and active within this time. Below what the executable waits. */
  addMs: 60_000,
  otherMs: 30_000,
  /** Of the daemon as of the file in which attachments are. */
  attachments: 10_000,
  ports: 10_000,
  interfacesPerPod: 32,
  /** One transaction of Open vSwitch; in it, until ovs-vswitchd has opened a device. */
  ovsdbMs: 10_000,
  openMs: 8_000,
  ovsdbAnswerBytes: 16 * 2 ** 20,
  /** Between two looks for what nobody counts on. */
  tidyMs: 60_000,
} as const;
