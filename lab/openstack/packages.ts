import type { LabOptions, ServiceName } from './options.ts';

/** Debian packages of a laboratory with these options. */
export function packagesFor(options: LabOptions): readonly string[] {
  const ofService: Readonly<Record<ServiceName, readonly string[]>> = {
    keystone: ['keystone', 'uwsgi-plugin-python3'],
    placement: ['placement-api'],
    glance: ['glance-api'],
    neutron: ['neutron-api', 'neutron-rpc-server', 'python3-networking-sfc'],
    ovs:
      options.network === 'ovn'
        ? ['openvswitch-switch', 'ovn-central', 'ovn-host']
        : ['openvswitch-switch', 'neutron-openvswitch-agent'],
    nova: ['nova-api', 'nova-conductor', 'nova-scheduler', 'python3-fixtures'],
    heat: ['heat-api', 'heat-engine'],
    octavia: ['octavia-api', 'octavia-worker', 'octavia-driver-agent', 'haproxy'],
    routing:
      options.network === 'ovn'
        ? []
        : ['neutron-l3-agent', 'neutron-dhcp-agent', 'neutron-metadata-agent', 'dnsmasq-base', 'haproxy', 'iptables'],
    // Nova hands a machine its configuration drive as an image of a disc.
    ironic: ['ironic-api', 'ironic-conductor', 'python3-ironicclient', 'genisoimage'],
    mistral: ['mistral-api', 'mistral-engine', 'mistral-executor'],
  };
  const real = options.services.includes('nova') && options.compute === 'libvirt';
  return [
    'mariadb-server',
    // What Debian recommends for every service: without it SQLAlchemy does in Python what it has in C.
    'python3-sqlalchemy-ext',
    'rabbitmq-server',
    'memcached',
    'openssl',
    'zstd',
    'iproute2',
    ...options.services.flatMap((service) => ofService[service]),
    ...(real ? ['qemu-system-x86', 'qemu-utils', 'libvirt-daemon-system', 'libvirt-clients', 'python3-libvirt'] : []),
    ...(real ? ['busybox-static', 'genisoimage', 'xz-utils'] : []),
  ];
}
