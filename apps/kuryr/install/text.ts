import { stringify } from 'yaml';

/** As `kubectl apply -f -` takes them. Readers of Kubernetes take YAML 1.1, in which `y` and `on` are true. */
export function yamlOf(objects: readonly object[]): string {
  return objects
    .map((one) => stringify(one, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 }))
    .join('---\n');
}
