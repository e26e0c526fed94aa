import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command.ts';
import type { Item, Service } from '../item.ts';
import { certificatePath, keyPath } from './certificates.ts';
import { buildImages, IMAGES } from './images.ts';
import { writeInnerKubeconfig } from './kubeconfig.ts';
import { inNamespace, kubectl, type Lab, type LabNode, nodesOf } from './lab.ts';

const CGROUPS = '/sys/fs/cgroup';
const NODE_READY_MS = 180_000;
/** Plugins of containernetworking, where Debian has them. */
const CNI_PLUGINS = '/usr/lib/cni';

/** Nodes: a real kubelet and a real containerd each, in a network namespace of its own. */
export function nodes(lab: Lab): Service<Lab> {
  const archive = join(lab.paths.var, 'images.tar');
  const all = nodesOf(lab);
  const parts = all.map((node, at) => nodeItems(lab, node, archive, all[at - 1]));
  const images: Item<Lab> = {
    kind: 'task',
    name: 'images',
    after: [],
    once: false,
    run: async () => {
      if (!existsSync(archive)) await buildImages(archive);
    },
  };
  return {
    files: Object.assign({}, ...parts.map(({ files }) => files)) as Record<string, string>,
    items: [images, ...parts.flatMap(({ items }) => items)],
  };
}

function nodeItems(lab: Lab, node: LabNode, archive: string, before: LabNode | undefined): Service<Lab> {
  const { paths, bin } = lab;
  const { name, namespace, containerd } = node;
  const data = join(paths.var, name);
  const config = (file: string) => join(paths.etc, name, file);
  const [containerdConfig, kubeletConfig] = [config('containerd.toml'), config('kubelet.json')];
  const kubeconfig = join(paths.pki, `${name}.kubeconfig`);
  const networks = lab.options.network === 'bridge' ? { [config('cni/10-lab.conflist')]: bridgeConfig(lab, node) } : {};
  return {
    files: {
      [containerdConfig]: containerdToml(lab, node),
      [kubeletConfig]: `${JSON.stringify(kubeletConfiguration(lab, node), undefined, 2)}\n`,
      ...networks,
    },
    items: [
      {
        kind: 'task',
        name: `${name}-folders`,
        after: ['certificates'],
        once: false,
        run: async () => {
          for (const path of [join(paths.run, name), data, node.cniConf])
            mkdirSync(path, { recursive: true, mode: 0o711 });
          if (lab.options.network === 'none') linkPlugins(node);
          makeCgroups(node.cgroup);
          writeInnerKubeconfig(lab, name, kubeconfig);
        },
      },
      {
        kind: 'process',
        name: `${name}-containerd`,
        after: ['namespaces', `${name}-folders`],
        argv: inNamespace(namespace, ['containerd', '--config', containerdConfig]),
        files: [containerdConfig],
        ready: { kind: 'command', argv: ['ctr', '--address', containerd, 'version'] },
      },
      {
        kind: 'task',
        name: `${name}-images`,
        after: ['images', `${name}-containerd`],
        once: false,
        run: async () => {
          const ctr = ['ctr', '--address', containerd, '--namespace', 'k8s.io', 'images'] as const;
          const known = (await run([...ctr, 'list', '--quiet'])).split('\n');
          if (Object.values(IMAGES).every((image) => known.includes(image))) return;
          await run([...ctr, 'import', archive]);
        },
      },
      {
        kind: 'process',
        name: `${name}-kubelet`,
        after: [
          `${name}-images`,
          'kube-apiserver',
          'door',
          // Each kubelet empties /var/lib/kubelet/device-plugins and listens there, wherever its own folder is: of two that do
          // so in the same moment, one finds the address in use, and ends.
          ...(before === undefined ? [] : [`${before.name}-kubelet`]),
        ],
        argv: inNamespace(namespace, [
          join(bin, 'kubelet'),
          `--config=${kubeletConfig}`,
          `--kubeconfig=${kubeconfig}`,
          `--root-dir=${join(data, 'kubelet')}`,
          `--cert-dir=${join(data, 'kubelet/pki')}`,
          `--hostname-override=${name}`,
          `--node-ip=${node.address}`,
          // Where it looks for what containers take and send; it knows no other place than the default one by itself.
          `--containerd=${containerd}`,
          `--node-labels=superfluidity.test/node=${node.number}`,
        ]),
        files: [kubeletConfig],
        ready: {
          kind: 'command',
          argv: kubectl(
            lab,
            'get',
            'node',
            name,
            '--output',
            'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
          ),
          // Without a network it is there, and not ready.
          output: lab.options.network === 'bridge' ? /^True$/ : /^(?:True|False)$/,
        },
        readyWithinMs: NODE_READY_MS,
      },
      {
        kind: 'task',
        name: `${name}-prefix`,
        after: [`${name}-kubelet`],
        once: true,
        // The plugin hands out addresses of this prefix; whoever reads the node shall find it there.
        run: async () => {
          const spec = { podCIDR: node.podPrefix, podCIDRs: [node.podPrefix] };
          await run(kubectl(lab, 'patch', 'node', name, '--patch', JSON.stringify({ spec })));
        },
      },
    ],
  };
}

/** In each hierarchy of the first version of control groups. */
function makeCgroups(path: string): void {
  for (const hierarchy of cgroupHierarchies()) mkdirSync(join(CGROUPS, hierarchy, path), { recursive: true });
}

export function cgroupHierarchies(): readonly string[] {
  if (existsSync(join(CGROUPS, 'cgroup.controllers'))) return ['.'];
  return readdirSync(CGROUPS).filter((name) => existsSync(join(CGROUPS, name, 'cgroup.procs')));
}

/** Whoever brings the network puts plugins beside these; the runtime itself asks for `loopback`. */
function linkPlugins({ cniBin }: LabNode): void {
  mkdirSync(cniBin, { recursive: true, mode: 0o711 });
  for (const plugin of readdirSync(CNI_PLUGINS)) {
    rmSync(join(cniBin, plugin), { force: true });
    symlinkSync(join(CNI_PLUGINS, plugin), join(cniBin, plugin));
  }
}

function containerdToml(lab: Lab, { name, containerd, cniBin, cniConf }: LabNode): string {
  const { paths } = lab;
  return `version = 2
root = "${join(paths.var, name, 'containerd')}"
state = "${join(paths.run, name, 'containerd')}"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "${containerd}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGES.pause}"
# Lower scores than its own need CAP_SYS_RESOURCE, which containers and some virtual machines do not have.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "${lab.options.network === 'none' ? cniBin : CNI_PLUGINS}"
conf_dir = "${cniConf}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "runc"
`;
}

/** One network for all pods: each node has a bridge, and routes to those of the others. */
function bridgeConfig(lab: Lab, { name, podPrefix }: LabNode): string {
  return `${JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'lab',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: podPrefix }]],
            routes: [{ dst: '0.0.0.0/0' }],
            dataDir: join(lab.paths.run, name, 'addresses'),
          },
        },
      ],
    },
    undefined,
    2,
  )}\n`;
}

function kubeletConfiguration(lab: Lab, node: LabNode): unknown {
  const data = join(lab.paths.var, node.name);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: node.address,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificatePath(lab, 'ca') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: certificatePath(lab, `${node.name}-server`),
    tlsPrivateKeyFile: keyPath(lab, `${node.name}-server`),
    containerRuntimeEndpoint: `unix://${node.containerd}`,
    cgroupDriver: 'cgroupfs',
    // Of its own: a kubelet removes the groups of pods that it does not know.
    cgroupRoot: node.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    podLogsDir: join(data, 'logs'),
    volumePluginDir: join(data, 'volume-plugins'),
    makeIPTablesUtilChains: false,
    nodeStatusUpdateFrequency: '4s',
    // Images cannot be had again, and the disk is shared with all else.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    shutdownGracePeriod: '0s',
  };
}
