import { SuperfluidityError } from '@superfluidity/core';
import { type KuryrConfig, readKuryrConfig } from '../controller/config.ts';
import './errors.ts';

export interface ConfigurationWish {
  /** `linux`, or `neutron:CLOUD`. Without it, what the file says. */
  readonly fabric?: string;
  /** Name of the cluster, where the file says none. */
  readonly cluster?: string;
  readonly subnet?: string;
  readonly groups?: readonly string[];
  /** What a file of configuration says: as of docs/schemas/kuryr.schema.json. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** In which it is installed, and so its lease is. */
  readonly namespace: string;
}

const FABRIC = /^(?:linux|neutron:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;

type Fields = Readonly<Record<string, unknown>>;
const fieldsIn = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/**
 * The configuration of a controller that runs inside of the cluster: a file, with what was asked for over it. Throws
 * `SF-KURYR-INSTALL` where it could not be that of a pod, `SF-KURYR-CONFIG` where the controller would not take it.
 */
export function configurationOf(wish: ConfigurationWish): KuryrConfig {
  const { fabric, cluster, subnet, groups = [], file = {}, namespace } = wish;
  const refuse = (reason: string): never => {
    throw new SuperfluidityError('SF-KURYR-INSTALL', { doing: 'make the configuration of Kuryr', reason });
  };
  if (fabric !== undefined && !FABRIC.test(fabric))
    refuse('the fabric is `linux` or `neutron:CLOUD`, not what was given');
  if (fabric === undefined && file['drivers'] === undefined)
    refuse('give --fabric linux, --fabric neutron:CLOUD or --config');
  if (file['kubeconfig'] !== undefined || file['context'] !== undefined)
    refuse('a controller in a pod has the account of the pod: leave kubeconfig and context out of the configuration');
  const [name, cloud] = (fabric ?? '').split(':');
  if (name !== 'neutron' && (subnet !== undefined || groups.length > 0) && file['neutron'] === undefined)
    refuse('--subnet and --group are of a cloud: give --fabric neutron:CLOUD');
  const vif = name === 'linux' ? 'linux' : 'neutron-vif';
  const inCloud = {
    ...(cloud === undefined ? {} : { cloud }),
    ...(subnet === undefined ? {} : { subnet }),
    ...(groups.length === 0 ? {} : { groups }),
  };
  const config = readKuryrConfig(
    {
      ...(cluster === undefined ? {} : { cluster }),
      ...file,
      drivers: { ...(fabric === undefined ? {} : { vif }), ...fieldsIn(file['drivers']) },
      ...(name === 'linux' ? { linux: { cidr: 'node', ...fieldsIn(file['linux']) } } : {}),
      ...(Object.keys(inCloud).length === 0 ? {} : { neutron: { ...fieldsIn(file['neutron']), ...inCloud } }),
      // Its rights end there.
      lease: { ...fieldsIn(file['lease']), namespace },
    },
    'the configuration to install',
  );
  if (config.listen.port === 0) refuse('listen.port is a number that probes can ask: leave it out');
  if (config.listen.address !== '127.0.0.1') refuse('listen.address is asked on 127.0.0.1 by probes: leave it out');
  if (config.neutron !== undefined && config.neutron.cloud === undefined)
    refuse('the credentials are in a clouds.yaml: say neutron.cloud, or --fabric neutron:CLOUD');
  return config;
}
