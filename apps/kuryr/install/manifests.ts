import type { KubeObject } from '@superfluidity/driver-kubernetes';
import { KURYR_NAME, type KuryrComponent } from '@superfluidity/driver-kubernetes/kuryr';
import { customResourceDefinitions } from '../api/resources.ts';
import { configData, controllerPods, daemonPods } from './pods.ts';
import { controllerRules, daemonRules, leaseRules, type Rule } from './rights.ts';
import { CONTROLLER, DAEMON, type InstallSpec, labelsOf } from './spec.ts';

export interface Manifest extends KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Where the API server has a kind. */
const PLACES = {
  Namespace: { plural: 'namespaces', isNamespaced: false },
  CustomResourceDefinition: { plural: 'customresourcedefinitions', isNamespaced: false },
  ServiceAccount: { plural: 'serviceaccounts', isNamespaced: true },
  ClusterRole: { plural: 'clusterroles', isNamespaced: false },
  ClusterRoleBinding: { plural: 'clusterrolebindings', isNamespaced: false },
  Role: { plural: 'roles', isNamespaced: true },
  RoleBinding: { plural: 'rolebindings', isNamespaced: true },
  ConfigMap: { plural: 'configmaps', isNamespaced: true },
  Deployment: { plural: 'deployments', isNamespaced: true },
  DaemonSet: { plural: 'daemonsets', isNamespaced: true },
} as const;
export type Kind = keyof typeof PLACES;

const VERSIONS: Readonly<Record<Kind, string>> = {
  Namespace: 'v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  ServiceAccount: 'v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  ConfigMap: 'v1',
  Deployment: 'apps/v1',
  DaemonSet: 'apps/v1',
};

/** In the order in which they are made; the other way round they are removed. */
export const KINDS = Object.keys(PLACES) as readonly Kind[];

/** Of one, or of all of a kind: in one namespace, or wherever they are. */
export function pathOf(kind: Kind, namespace?: string, name?: string): string {
  const version = VERSIONS[kind];
  const { plural, isNamespaced } = PLACES[kind];
  const root = version === 'v1' ? '/api/v1' : `/apis/${version}`;
  const within = isNamespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return `${root}${within}/${plural}${name === undefined ? '' : `/${name}`}`;
}

export const pathOfManifest = ({ kind, metadata: { namespace, name } }: Manifest): string =>
  pathOf(kind as Kind, namespace, name);

/** There before anybody makes it. */
const isOfCluster = (namespace: string): boolean => namespace === 'default' || namespace.startsWith('kube-');

/** All that is installed. */
export function manifests(spec: InstallSpec): readonly Manifest[] {
  const { namespace } = spec;
  const object = (kind: Kind, name: string, fields: object, component?: KuryrComponent): Manifest => ({
    apiVersion: VERSIONS[kind],
    kind,
    metadata: {
      name,
      ...(PLACES[kind].isNamespaced ? { namespace } : {}),
      labels: labelsOf(component),
    },
    ...fields,
  });
  const account = (name: string, component: KuryrComponent) => object('ServiceAccount', name, {}, component);
  const allow = (kind: 'ClusterRole' | 'Role', name: string, component: KuryrComponent, rules: readonly Rule[]) => [
    object(kind, name, { rules }, component),
    object(
      kind === 'Role' ? 'RoleBinding' : 'ClusterRoleBinding',
      name,
      {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
      component,
    ),
  ];
  // Where clusters let in what has no rights alone, daemons would be refused.
  const made = object('Namespace', namespace, {});
  const admission = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  const named = { ...made, metadata: { ...made.metadata, labels: { ...made.metadata.labels, ...admission } } };
  return [
    ...(isOfCluster(namespace) ? [] : [named]),
    ...customResourceDefinitions().map(({ metadata, spec: definition }) =>
      object('CustomResourceDefinition', metadata.name, { spec: definition }),
    ),
    account(CONTROLLER, 'controller'),
    account(DAEMON, 'cni'),
    ...allow('ClusterRole', CONTROLLER, 'controller', controllerRules(spec.config)),
    ...allow('ClusterRole', DAEMON, 'cni', daemonRules()),
    ...allow('Role', CONTROLLER, 'controller', leaseRules(spec.config)),
    object('ConfigMap', KURYR_NAME, { data: configData(spec) }, 'controller'),
    object('Deployment', CONTROLLER, { spec: controllerPods(spec) }, 'controller'),
    object('DaemonSet', DAEMON, { spec: daemonPods(spec) }, 'cni'),
  ];
}
