import { KURYR_NAME } from '@superfluidity/driver-kubernetes/kuryr';
import packageJson from '../package.json' with { type: 'json' };
import { type Manifest, manifests } from './manifests.ts';
import type { InstallSpec } from './spec.ts';
import { yamlOf } from './text.ts';

export interface ChartFile {
  readonly path: string;
  readonly text: string;
}

/** What Helm fills in stands in the manifests by these words, which are nobody's. */
const IMAGE = 'superfluidity.invalid/image-of-the-chart:0';
const NAMESPACE = 'superfluidity-namespace-of-the-chart';
const REPLICAS = /^ {2}replicas: \d+$/m;

/** The files of the original's `generate_k8s_resource_definitions.sh`, and which kinds are in which. */
const TEMPLATES = {
  'service-accounts.yaml': ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'config-map.yaml': ['ConfigMap'],
  'controller-deployment.yaml': ['Deployment'],
  'cni-daemon-set.yaml': ['DaemonSet'],
} as const;

/**
 * A chart of Helm 3 of the same manifests. Image, replicas and namespace are values; the configuration is not, since rights and
 * mounts follow from it: for another one, another chart is written.
 */
export function chartOf(spec: InstallSpec): readonly ChartFile[] {
  const { config, image, replicas } = spec;
  const lease = { ...config.lease, namespace: NAMESPACE };
  const all = manifests({ ...spec, image: IMAGE, namespace: NAMESPACE, config: { ...config, lease } });
  const ofKinds = (kinds: readonly string[]) => all.filter(({ kind }) => kinds.includes(kind));
  const file = (path: string, objects: readonly object[]) => ({ path, text: yamlOf(objects) });
  return [
    file('Chart.yaml', [
      {
        apiVersion: 'v2',
        name: KURYR_NAME,
        version: packageJson.version,
        appVersion: packageJson.version,
        type: 'application',
        description: packageJson.description,
      },
    ]),
    file('values.yaml', [{ image, replicas }]),
    // Helm makes them first, and never removes them.
    file('crds/kuryr.yaml', ofKinds(['CustomResourceDefinition'])),
    ...Object.entries(TEMPLATES).map(([name, kinds]) => ({
      path: `templates/${name}`,
      text: templateOf(ofKinds(kinds)),
    })),
  ];
}

function templateOf(objects: readonly Manifest[]): string {
  return (
    yamlOf(objects)
      // What the configuration holds is no template.
      .replaceAll('{{', '{{ "{{" }}')
      .replaceAll(IMAGE, '{{ .Values.image }}')
      .replaceAll(NAMESPACE, '{{ .Release.Namespace }}')
      .replace(REPLICAS, '  replicas: {{ .Values.replicas }}')
  );
}
