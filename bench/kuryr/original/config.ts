import { join } from 'node:path';
import { authWords } from '@superfluidity/openstack/testing';
import { certificatePath, keyPath } from '../../../lab/kubernetes/certificates.ts';
import { outerServer } from '../../../lab/kubernetes/kubeconfig.ts';
import type { Lab } from '../../../lab/kubernetes/lab.ts';
import { renderIni } from '../../../lab/openstack/ini.ts';
import type { CloudPart } from '../cloud-part.ts';

/** Its executable knows no other address of the daemon. */
export const DAEMON_ADDRESS = '127.0.0.1:5036';
/** Its default. */
export const HEALTH_PORT = 8082;
/** Seconds between two looks at ports that pods had, and at least between two batches. Its default. */
export const UPDATE_S = 20;
/** A pool with less orders a batch. Its default. */
export const POOL_LEAST = 5;

export interface OriginalConfig {
  readonly lab: Lab;
  readonly cloud: Pick<CloudPart, 'project' | 'subnet' | 'group'>;
  /** Of its programs. */
  readonly bin: string;
  /** Of what it makes in the cloud. */
  readonly tag: string;
  /** Ports that it makes at once for the pool; undefined: no pool. */
  readonly batch: number | undefined;
  /** A database of Open vSwitch for os-vif alone. */
  readonly ovsdb: string;
}

/** The configuration of both of its programs. What is not in it is as the original has it by itself. */
export function renderOriginal({ lab, cloud, bin, tag, batch, ovsdb }: OriginalConfig): string {
  const { project } = cloud;
  const helper = { helper_command: join(bin, 'privsep-helper') };
  return renderIni({
    DEFAULT: { debug: false, use_stderr: true },
    kubernetes: {
      api_root: outerServer(lab),
      ssl_client_crt_file: certificatePath(lab, 'admin'),
      ssl_client_key_file: keyPath(lab, 'admin'),
      ssl_ca_crt_file: certificatePath(lab, 'ca'),
      ssl_verify_server_crt: true,
      // That of a pod, by itself.
      token_file: '',
      // Services and policies are not measured.
      enabled_handlers: 'vif,kuryrport',
      pod_vif_driver: 'neutron-vif',
      vif_pool_driver: batch === undefined ? 'noop' : 'neutron',
      multi_vif_drivers: 'noop',
    },
    neutron: { auth_type: 'password', ...authWords(project.config), region_name: project.config.region },
    neutron_defaults: {
      project: project.id,
      pod_subnet: cloud.subnet,
      pod_security_groups: cloud.group,
      ovs_bridge: 'br-int',
      // Without a tag it removes, at its start, what others have made in the cloud for pods and not bound yet.
      resource_tags: tag,
    },
    vif_pool: { ports_pool_min: POOL_LEAST, ports_pool_batch: batch, ports_pool_update_frequency: UPDATE_S },
    cni_daemon: { bind_address: DAEMON_ADDRESS },
    health_server: { port: HEALTH_PORT },
    oslo_concurrency: { lock_path: join(lab.paths.run, 'locks') },
    // It does not tell os-vif of a datapath in user space, and so os-vif would give br-int that of the kernel before each port.
    os_vif_ovs: { ovsdb_connection: `unix:${ovsdb}` },
    vif_plug_ovs_privileged: helper,
    vif_plug_linux_bridge_privileged: helper,
  });
}
