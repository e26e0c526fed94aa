import { z } from 'zod';

/** By what an installed Kuryr is known: who installs and runs it writes these, who looks for it in a cluster finds it by them. */

/** Of its custom resources. */
export const KURYR_GROUP = 'superfluidity.dev';
export const KURYR_VERSION = 'v1';
export const KURYR_API = `${KURYR_GROUP}/${KURYR_VERSION}` as const;

/** Of all that is installed, by the label `part`; and of the ConfigMap of the controller. */
export const KURYR_NAME = 'superfluidity-kuryr';
export const KURYR_LABELS = { part: 'app.kubernetes.io/part-of', component: 'app.kubernetes.io/component' } as const;

export type KuryrComponent = 'controller' | 'cni';

/** Selectors cannot be changed once a Deployment is there: they are as few as tell one from the other. */
export const kuryrPodLabels = (component: KuryrComponent) =>
  ({ [KURYR_LABELS.part]: KURYR_NAME, [KURYR_LABELS.component]: component }) as const;

/** Of pods of the component `cni`, which are in the network of their node. */
export const KURYR_DAEMON_CONTAINER = 'daemon';

/** Of nft(8), family `ip`, on nodes that have policies to enforce. */
export const KURYR_POLICIES_TABLE = 'superfluidity_policies';

/** In the ConfigMap: the configuration of the controller, as JSON. */
export const KURYR_CONFIG_KEY = 'kuryr.json';

/** Of that configuration, what says whom Kuryr serves. */
export const kuryrServedSchema = z.object({
  namespaces: z
    .record(z.string().min(1).max(317), z.string().max(63))
    .default({})
    .describe('Labels of the namespaces that are served; those that have none of ours are left alone. Default: all'),
});
