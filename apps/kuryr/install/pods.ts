import { sha256 } from '@superfluidity/core';
import {
  KURYR_CONFIG_KEY,
  KURYR_DAEMON_CONTAINER,
  KURYR_NAME,
  kuryrPodLabels,
} from '@superfluidity/driver-kubernetes/kuryr';
import { CONTROLLER, DAEMON, type InstallSpec, labelsOf } from './spec.ts';

/** Where things are in the containers. */
const CONFIG_FOLDER = '/etc/superfluidity';
const CLOUDS_FOLDER = '/etc/openstack';
const HOST_BIN = '/host/cni/bin';
const HOST_CONF = '/host/cni/net.d';
/** `/proc/sys` of a container cannot be written. */
const HOST_SYSCTLS = '/host/proc/sys';
/** Built into the image: apps/kuryr/Containerfile. */
export const EXECUTABLE = '/usr/local/lib/superfluidity/superfluidity-kuryr';
const DAEMON_PORT = 9_655;
const NOBODY = 65_532;

/** What the network of pods needs must not wait for it. */
const IN_NETWORK_OF_NODE = {
  hostNetwork: true,
  dnsPolicy: 'Default',
  enableServiceLinks: false,
  priorityClassName: 'system-cluster-critical',
};

const configText = ({ config }: InstallSpec): string => `${JSON.stringify(config, undefined, 2)}\n`;

export const configData = (spec: InstallSpec): Readonly<Record<string, string>> => ({
  [KURYR_CONFIG_KEY]: configText(spec),
});

const apiServer = ({ apiServer }: InstallSpec) =>
  apiServer === undefined
    ? []
    : [
        { name: 'KUBERNETES_SERVICE_HOST', value: apiServer.host },
        { name: 'KUBERNETES_SERVICE_PORT', value: String(apiServer.port) },
      ];

const fieldOfPod = (name: string, fieldPath: string) => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
});

/** Kubelets ask on the loopback of the node: nobody else can. */
const probe = (path: string, port: number, more: object = {}) => ({
  httpGet: { host: '127.0.0.1', path, port, scheme: 'HTTP' },
  initialDelaySeconds: 3,
  periodSeconds: 10,
  timeoutSeconds: 5,
  ...more,
});
const probes = (port: number) => ({
  // Of what is not well a restart mends what has been so for a minute.
  livenessProbe: probe('/healthz', port, { failureThreshold: 6 }),
  readinessProbe: probe('/readyz', port),
});

const flags = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);

const folder = (name: string, path: string, type: string) => ({ name, hostPath: { path, type } });

/** Two replicas or more, one to a node since they listen there: one leads, the others wait. */
export function controllerPods(spec: InstallSpec): object {
  const { image, config, replicas, cloudsSecret } = spec;
  const isInCloud = config.neutron !== undefined;
  return {
    replicas,
    selector: { matchLabels: kuryrPodLabels('controller') },
    // The port is one of the node: the old one makes way first.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    template: {
      metadata: {
        labels: labelsOf('controller'),
        annotations: { 'superfluidity.dev/config': sha256(configText(spec)).slice(0, 16) },
      },
      spec: {
        ...IN_NETWORK_OF_NODE,
        serviceAccountName: CONTROLLER,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: NOBODY,
          runAsGroup: NOBODY,
          fsGroup: NOBODY,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        tolerations: [
          // Nodes are not ready before they have a network.
          { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoSchedule' },
          { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
          { key: 'node.cloudprovider.kubernetes.io/uninitialized', operator: 'Exists', effect: 'NoSchedule' },
        ],
        terminationGracePeriodSeconds: 30,
        containers: [
          {
            name: 'controller',
            image,
            // In the lease, and so in `kubectl get lease`: of machines and processes nobody there knows.
            args: ['controller', '--config', `${CONFIG_FOLDER}/${KURYR_CONFIG_KEY}`, '--identity', '$(POD_NAME)'],
            env: [
              fieldOfPod('POD_NAME', 'metadata.name'),
              ...apiServer(spec),
              ...(isInCloud ? [{ name: 'OS_CLIENT_CONFIG_FILE', value: `${CLOUDS_FOLDER}/clouds.yaml` }] : []),
            ],
            ports: [
              { name: 'health', containerPort: config.listen.port, hostPort: config.listen.port, protocol: 'TCP' },
            ],
            ...probes(config.listen.port),
            resources: { requests: { cpu: '50m', memory: '192Mi' }, limits: { memory: '1Gi' } },
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true },
              ...(isInCloud ? [{ name: 'clouds', mountPath: CLOUDS_FOLDER, readOnly: true }] : []),
            ],
          },
        ],
        volumes: [
          { name: 'config', configMap: { name: KURYR_NAME } },
          ...(isInCloud ? [{ name: 'clouds', secret: { secretName: cloudsSecret, defaultMode: 0o440 } }] : []),
        ],
      },
    },
  };
}

/** One on each node: it plugs pods there, for which it enters their network. */
export function daemonPods(spec: InstallSpec): object {
  const { image, config, cniBin, cniConf, runFolder, nodes, trunk } = spec;
  const socket = `${runFolder}/kuryr-cni.sock`;
  const kinds = new Set([config.drivers.vif, ...config.drivers.vifs]);
  // Where the kernel has no VLANs they are made in Open vSwitch.
  const usesVSwitch = kinds.has('neutron-vif') || kinds.has('nested-vlan');
  const volumes = [
    folder('run', runFolder, 'DirectoryOrCreate'),
    folder('netns', '/run/netns', 'DirectoryOrCreate'),
    folder('sysctls', '/proc/sys/net', 'Directory'),
    ...(usesVSwitch ? [folder('openvswitch', '/run/openvswitch', 'DirectoryOrCreate')] : []),
  ];
  const hostFolders = [
    folder('cni-bin', cniBin, 'DirectoryOrCreate'),
    folder('cni-conf', cniConf, 'DirectoryOrCreate'),
  ];
  return {
    selector: { matchLabels: kuryrPodLabels('cni') },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
    template: {
      metadata: { labels: labelsOf('cni') },
      spec: {
        ...IN_NETWORK_OF_NODE,
        priorityClassName: 'system-node-critical',
        serviceAccountName: DAEMON,
        ...(Object.keys(nodes).length === 0 ? {} : { nodeSelector: nodes }),
        // A node without it runs no pods: whatever else is the matter with it.
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 10,
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        initContainers: [
          {
            name: 'install',
            image,
            // Both are put in their place by being renamed.
            args: [
              'cni',
              'install',
              ...flags({ executable: EXECUTABLE, socket, 'cni-bin': HOST_BIN, 'cni-conf': HOST_CONF }),
            ],
            resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
            securityContext: {
              runAsUser: 0,
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            volumeMounts: [
              { name: 'cni-bin', mountPath: HOST_BIN },
              { name: 'cni-conf', mountPath: HOST_CONF },
            ],
          },
        ],
        containers: [
          {
            name: KURYR_DAEMON_CONTAINER,
            image,
            args: [
              'daemon',
              ...flags({
                folder: `${runFolder}/kuryr`,
                socket,
                sysctls: HOST_SYSCTLS,
                'health-port': String(DAEMON_PORT),
                ...(trunk.device === undefined ? {} : { 'trunk-device': trunk.device }),
                ...(trunk.bridge === undefined ? {} : { 'trunk-bridge': trunk.bridge }),
              }),
              ...(kinds.has('linux') ? ['--make-bridges'] : []),
            ],
            env: [fieldOfPod('NODE_NAME', 'spec.nodeName'), ...apiServer(spec)],
            ports: [{ name: 'health', containerPort: DAEMON_PORT, hostPort: DAEMON_PORT, protocol: 'TCP' }],
            ...probes(DAEMON_PORT),
            resources: { requests: { cpu: '20m', memory: '192Mi' }, limits: { memory: '512Mi' } },
            securityContext: {
              runAsUser: 0,
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              // SYS_ADMIN: who enters the network of a pod needs it (setns). DAC_OVERRIDE: the database of Open vSwitch may
              // be somebody else's than root's.
              capabilities: {
                drop: ['ALL'],
                add: ['NET_ADMIN', 'SYS_ADMIN', ...(usesVSwitch ? ['DAC_OVERRIDE'] : [])],
              },
            },
            volumeMounts: [
              { name: 'run', mountPath: runFolder },
              // Runtimes make the networks of pods after this one has begun.
              { name: 'netns', mountPath: '/run/netns', mountPropagation: 'HostToContainer' },
              { name: 'sysctls', mountPath: `${HOST_SYSCTLS}/net` },
              ...(usesVSwitch ? [{ name: 'openvswitch', mountPath: '/run/openvswitch' }] : []),
            ],
          },
        ],
        volumes: [...volumes, ...hostFolders],
      },
    },
  };
}
