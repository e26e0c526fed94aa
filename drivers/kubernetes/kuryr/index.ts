/**
 * What stands in a cluster of Kuryr, for Kuryr and for who asks from outside. An entrance of its own: who reads objects from files
 * need not load the client of Kubernetes.
 */
export {
  KURYR_API,
  KURYR_CONFIG_KEY,
  KURYR_DAEMON_CONTAINER,
  KURYR_GROUP,
  KURYR_LABELS,
  KURYR_NAME,
  KURYR_POLICIES_TABLE,
  KURYR_VERSION,
  type KuryrComponent,
  kuryrPodLabels,
  kuryrServedSchema,
} from './installed.ts';
export { objectMeta } from './object-meta.ts';
export { KURYR_POOLS, type KuryrPool, kuryrPoolSchema, type Spare, SPARES_MOST } from './pool.ts';
export {
  KURYR_PORT,
  type KuryrPort,
  kuryrPortOf,
  kuryrPortSchema,
  type Plugging,
  type PodInterface,
  podInterfaceSchema,
} from './port.ts';
