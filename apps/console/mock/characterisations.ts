import type { CallReply } from '@superfluidity/api';

type Report = CallReply<'getCharacterisation'>;

const DAY_MS = 86_400_000;
const PARAMETERS = {
  vm_ram: [2_048, 4_096],
  vm_vcpus: [2, 4],
  vnic_type: ['normal', 'direct'],
  memory_page_size: ['small', 'large'],
};
const COSTS: Readonly<Record<string, readonly number[]>> = {
  vm_ram: [1, 2],
  vm_vcpus: [1, 2],
  vnic_type: [1, 10],
  memory_page_size: [1, 5],
};

const descriptor = (cpu: number, ram: number) => `superfluidity: 1
service:
  name: origin
  version: "1.0"
  networks: [{name: lan, prefix: 10.60.0.0/24}]
  functions:
    - name: origin
      environment: container
      image: "host:"
      command: [sh, -c, exec sleep infinity]
      ports: [lan]
      requirements: {cpu: ${cpu}, memoryMiB: ${ram}}
`;

/** The result of table 7 of deliverable D6.1: of sixteen configurations, what decides is the interface and the processors. */
export function tableSeven(name: string, updatedAt: number): Report {
  const all = PARAMETERS.vm_ram.flatMap((ram, a) =>
    PARAMETERS.vm_vcpus.flatMap((cpu, b) =>
      PARAMETERS.vnic_type.flatMap((nic, c) =>
        PARAMETERS.memory_page_size.map((page, d) => ({ ram, cpu, nic, page, at: [a, b, c, d] })),
      ),
    ),
  );
  const configurations = all.map(({ ram, cpu, nic, page, at }) => {
    const label = nic === 'direct' ? 'Class_A' : cpu > 2 ? 'Class_B' : 'None';
    const latency = { Class_A: 0.82, Class_B: 0.98, None: 1.3 }[label] + (at[0]! + at[3]!) * 0.012;
    const rate = { Class_A: 205, Class_B: 165, None: 120 }[label] + at[0]! * 4 - at[3]! * 2;
    const around = (value: number, spread: number) =>
      [-2, -0.7, 0, 0.7, 2].map((by) => Math.round((value + by * spread) * 1e3) / 1e3);
    const cost = Object.values(COSTS).reduce((sum, costs, i) => sum + costs[at[i]!]!, 0);
    return {
      text: `vm_ram=${ram} vm_vcpus=${cpu} vnic_type=${nic} memory_page_size=${page}`,
      cost,
      label,
      samples: 90,
      chosen: at[0] === 0 && at[3] === 0 && (label === 'Class_A' ? cpu === 2 : label === 'Class_B' || nic === 'normal'),
      metrics: { latency: around(latency, 0.02), curl_bytes_download: around(rate, 5) },
    };
  });
  const template = (vm_vcpus: number, vnic_type: string) => ({
    vm_ram: 2_048,
    vm_vcpus,
    vnic_type,
    memory_page_size: 'small',
  });
  return {
    name,
    updatedAt,
    service: './heat_templates/unified_origin.yaml',
    useCase: 'hammer',
    experiments: 48,
    samples: 1_440,
    outliers: 11,
    accuracy: 0.998,
    parameters: Object.keys(PARAMETERS),
    metrics: [
      { name: 'latency', bounds: [0.92, 1.05] },
      { name: 'curl_bytes_download', bounds: [180, 150] },
    ],
    classes: [
      {
        name: 'Class_A',
        samples: 720,
        cost: 13,
        configuration: template(2, 'direct'),
        keys: ['vnic_type'],
        share: 0.996,
        interval: [0.97, 1],
        descriptor: descriptor(2, 2_048),
      },
      {
        name: 'Class_B',
        samples: 360,
        cost: 5,
        configuration: template(4, 'normal'),
        keys: ['vm_vcpus'],
        share: 0.981,
        interval: [0.94, 0.99],
        descriptor: descriptor(4, 2_048),
      },
      {
        name: 'None',
        samples: 360,
        cost: 4,
        configuration: template(2, 'normal'),
        keys: [],
        share: 1,
        interval: [0.96, 1],
      },
    ],
    configurations: configurations.toSorted((a, b) => a.cost - b.cost),
    measured: 16,
    all: 16,
    rules: [
      { text: 'vnic_type = direct', label: 'Class_A', samples: 720, errors: 3 },
      { text: 'vnic_type = normal and vm_vcpus <= 2', label: 'None', samples: 360, errors: 0 },
      { text: 'vnic_type = normal and vm_vcpus > 2', label: 'Class_B', samples: 360, errors: 4 },
    ],
    usage: {
      accuracy: 0.93,
      rules: [
        { text: 'throttled.origin > 0.31', label: 'None', samples: 352, errors: 21 },
        { text: 'throttled.origin <= 0.31 and rx_pps.origin > 18400', label: 'Class_A', samples: 711, errors: 40 },
      ],
    },
    warnings: [],
  };
}

export function characterisationsAt(now: number): readonly Report[] {
  const whole = tableSeven('unified-origin', now - 2 * DAY_MS);
  const video = tableSeven('mobile-edge-video', now - DAY_MS / 8);
  return [
    whole,
    {
      ...video,
      service: 'examples/mobile-edge/service.yaml',
      useCase: 'telemetry',
      experiments: 17,
      samples: 510,
      measured: 10,
      warnings: ['no sample is in Class_C: it has no configuration'],
    },
    {
      ...tableSeven('campus-firewall', now - 9 * DAY_MS),
      service: 'campus-firewall.yaml',
      useCase: 'rfc2544',
      experiments: 12,
      samples: 12,
      accuracy: 0.83,
    },
  ];
}
