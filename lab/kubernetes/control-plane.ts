import { join } from 'node:path';
import { run } from '../command.ts';
import type { LabProcess, Service } from '../item.ts';
import { writeFile } from '../paths.ts';
import { certificatePath, ensureCertificates, keyPath } from './certificates.ts';
import { innerServer, outerServer, renderKubeconfig, writeInnerKubeconfig } from './kubeconfig.ts';
import { ADDRESSES, inNamespace, kubectl, type Lab, namespaceOf, USER } from './lab.ts';
import { ensureNamespaces } from './namespaces.ts';

/** In the namespace of the control plane, where nobody else is: it needs no secret. */
const ETCD = 'http://127.0.0.1:2379';
const STORE_PATIENCE_MS = 15_000;
/** From the last word of a node until it counts as gone. The default is 50 s. */
const NODE_GRACE = '16s';
/** Connections that wait at the door until it has begun a process for each. */
const COMING_MOST = 1_024;

export function controlPlane(lab: Lab): Service<Lab> {
  const { paths, bin, options } = lab;
  const hub = namespaceOf(paths);
  const config = (name: string) => join(paths.pki, `${name}.kubeconfig`);
  const inside = (program: string, args: Readonly<Record<string, string>>): LabProcess['argv'] =>
    inNamespace(hub, [program, ...Object.entries(args).map(([name, value]) => `--${name}=${value}`)]);
  const healthy = (port: number): LabProcess['ready'] => ({
    kind: 'command',
    argv: inNamespace(hub, ['curl', '--silent', '--fail', '--insecure', `https://127.0.0.1:${port}/healthz`]),
  });
  return {
    files: {},
    items: [
      { kind: 'task', name: 'namespaces', after: [], once: false, run: ensureNamespaces },
      {
        kind: 'task',
        name: 'certificates',
        after: [],
        once: false,
        run: async () => {
          await ensureCertificates(lab);
          for (const name of ['controller-manager', 'scheduler']) writeInnerKubeconfig(lab, name, config(name));
          const server = outerServer(lab);
          writeFile(paths.adminConfig, renderKubeconfig(lab, 'admin', { server }));
          writeFile(paths.userConfig, renderKubeconfig(lab, USER, { server, namespace: USER }));
        },
      },
      {
        kind: 'process',
        name: 'etcd',
        after: ['namespaces'],
        argv: inside('etcd', {
          'data-dir': join(paths.var, 'etcd'),
          'listen-client-urls': ETCD,
          'advertise-client-urls': ETCD,
          'listen-peer-urls': 'http://127.0.0.1:2380',
          'log-outputs': 'stderr',
          logger: 'zap',
        }),
        ready: {
          kind: 'command',
          argv: inNamespace(hub, ['curl', '--silent', '--fail', `${ETCD}/health`]),
          output: /"true"/,
        },
        patienceMs: STORE_PATIENCE_MS,
      },
      {
        kind: 'process',
        name: 'kube-apiserver',
        after: ['etcd', 'certificates'],
        argv: inside(join(bin, 'kube-apiserver'), {
          'etcd-servers': ETCD,
          'advertise-address': ADDRESSES.controlPlane,
          'secure-port': String(ADDRESSES.api),
          'service-cluster-ip-range': ADDRESSES.services,
          'authorization-mode': 'Node,RBAC',
          'enable-admission-plugins': 'NodeRestriction',
          'allow-privileged': 'true',
          'client-ca-file': certificatePath(lab, 'ca'),
          'tls-cert-file': certificatePath(lab, 'apiserver'),
          'tls-private-key-file': keyPath(lab, 'apiserver'),
          'kubelet-certificate-authority': certificatePath(lab, 'ca'),
          'kubelet-client-certificate': certificatePath(lab, 'apiserver-kubelet-client'),
          'kubelet-client-key': keyPath(lab, 'apiserver-kubelet-client'),
          'kubelet-preferred-address-types': 'InternalIP',
          'service-account-issuer': 'https://kubernetes.default.svc',
          'service-account-key-file': join(paths.pki, 'service-accounts.pub'),
          'service-account-signing-key-file': keyPath(lab, 'service-accounts'),
        }),
        ready: {
          kind: 'command',
          argv: inNamespace(hub, ['curl', '--silent', '--fail', '--insecure', `${innerServer}/readyz`]),
        },
        patienceMs: STORE_PATIENCE_MS,
      },
      {
        kind: 'process',
        name: 'door',
        after: ['namespaces'],
        // Whoever is on this machine comes to the API server by its loopback. Where the queue of socat is left at its 5 places, TCP has those who
        // come at once try again: the last of 200 was in after 28 s.
        argv: [
          'socat',
          `TCP-LISTEN:${options.port},bind=${options.address},reuseaddr,fork,backlog=${COMING_MOST}`,
          `EXEC:nsenter --net=/run/netns/${hub} socat STDIO TCP\\:${ADDRESSES.controlPlane}\\:${ADDRESSES.api}`,
        ],
        port: options.port,
        ready: { kind: 'started' },
      },
      {
        kind: 'process',
        name: 'kube-controller-manager',
        after: ['kube-apiserver'],
        argv: inside(join(bin, 'kube-controller-manager'), {
          kubeconfig: config('controller-manager'),
          'bind-address': '127.0.0.1',
          'leader-elect': 'false',
          'use-service-account-credentials': 'true',
          'root-ca-file': certificatePath(lab, 'ca'),
          'service-account-private-key-file': keyPath(lab, 'service-accounts'),
          'cluster-signing-cert-file': certificatePath(lab, 'ca'),
          'cluster-signing-key-file': keyPath(lab, 'ca'),
          'node-monitor-grace-period': NODE_GRACE,
        }),
        ready: healthy(10_257),
      },
      {
        kind: 'process',
        name: 'kube-scheduler',
        after: ['kube-apiserver'],
        argv: inside(join(bin, 'kube-scheduler'), {
          kubeconfig: config('scheduler'),
          'bind-address': '127.0.0.1',
          'leader-elect': 'false',
        }),
        ready: healthy(10_259),
      },
      {
        kind: 'task',
        name: 'user',
        after: ['kube-apiserver', 'door'],
        once: true,
        run: async () => {
          await run(kubectl(lab, 'apply', '--server-side', '-f', '-'), { input: JSON.stringify(ordinaryUser()) });
        },
      },
    ],
  };
}

/** Somebody who has a namespace, and may see which nodes there are, as users of clusters of others can. */
function ordinaryUser(): unknown {
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole' };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: USER }];
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: USER } },
      {
        ...rbac,
        kind: 'RoleBinding',
        metadata: { name: USER, namespace: USER },
        roleRef: { ...role, name: 'admin' },
        subjects,
      },
      {
        ...rbac,
        kind: 'ClusterRole',
        metadata: { name: 'lab-nodes' },
        rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] }],
      },
      {
        ...rbac,
        kind: 'ClusterRoleBinding',
        metadata: { name: `lab-nodes-${USER}` },
        roleRef: { ...role, name: 'lab-nodes' },
        subjects,
      },
    ],
  };
}
