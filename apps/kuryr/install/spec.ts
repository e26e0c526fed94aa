import { KURYR_LABELS, KURYR_NAME, type KuryrComponent } from '@superfluidity/driver-kubernetes/kuryr';
import type { KuryrConfig } from '../controller/config.ts';

/** What is asked for: everything from which the manifests are made. */
export interface InstallSpec {
  readonly namespace: string;
  /** Of controller and daemon: apps/kuryr/Containerfile. */
  readonly image: string;
  /** Read by the schema of the controller, so that it starts. */
  readonly config: KuryrConfig;
  /** A Secret with `clouds.yaml`, made by somebody who has it: it is named here, and never read. */
  readonly cloudsSecret: string;
  /** Where nodes reach the API server without Services: with Kuryr's own, or before there are any. */
  readonly apiServer?: { readonly host: string; readonly port: number };
  readonly cniBin: string;
  readonly cniConf: string;
  /** Of the node, for the socket of the plugin and for what is plugged. */
  readonly runFolder: string;
  /** Labels of the nodes that get a daemon. None: all. */
  readonly nodes: Readonly<Record<string, string>>;
  /** The nodes' own port, for pods on VLANs and macvlans; see `kuryr daemon --help`. */
  readonly trunk: { readonly device?: string; readonly bridge?: string };
  readonly replicas: number;
}

export const CONTROLLER = `${KURYR_NAME}-controller`;
export const DAEMON = `${KURYR_NAME}-cni`;
const MANAGED = 'app.kubernetes.io/managed-by';

/** On all that is installed, and on nothing else. Who manages it is not asked: Helm puts its own name there. */
export const OURS_SELECTOR = `${KURYR_LABELS.part}=${KURYR_NAME}`;

export const labelsOf = (component?: KuryrComponent) =>
  ({
    [KURYR_LABELS.part]: KURYR_NAME,
    [MANAGED]: 'superfluidity',
    ...(component === undefined ? {} : { [KURYR_LABELS.component]: component }),
  }) as const;

export const isOurs = (labels: Readonly<Record<string, string>> | undefined): boolean =>
  labels?.[KURYR_LABELS.part] === KURYR_NAME;
