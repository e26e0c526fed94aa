/** A VNFD of ETSI SOL006 as an orchestrator is given it: machines on internal links, images, profiles, scaling; about 500 lines. */
export function vnfdText(number: number, machines = 5): string {
  const each = (line: (i: number) => string) => Array.from({ length: machines }, (_, i) => line(i)).join('');
  return `etsi-nfv-descriptors:nfv:
  vnfd:
    - id: function-${number}
      provider: ACME
      product-name: Function ${number}
      software-version: "4.2"
      version: "1.${number}"
      product-info-description: Made to be measured
      vnfm-info:
        - acme-vnfm
      vdu:
${each(
  (i) => `        - id: machine-${i}
          name: Machine ${i}
          description: Does the work of one of ${machines}
          int-cpd:
${[0, 1, 2]
  .map(
    (port) => `            - id: port-${port}
              int-virtual-link-desc: link-${port}
              order: ${port}
              vnic-type: etsi-nfv-descriptors:virtio
              bitrate-requirement: "1000000000"
              layer-protocol:
                - etsi-nfv-descriptors:ipv4
              role: etsi-nfv-descriptors:leaf
              trunk-mode: false
              virtual-network-interface-requirement:
                - name: nic-${port}
                  network-interface-requirements:
                    - key: queues
                      value: "4"
`,
  )
  .join('')}          virtual-compute-desc: compute-${i}
          virtual-storage-desc:
            - disk-${i}
          boot-order:
            - key: 1
              value: disk-${i}
          sw-image-desc: image-${i}
          monitoring-parameter:
            - id: cpu
              name: cpu
              performance-metric: cpu
              collection-period: "60"
`,
)}      virtual-compute-desc:
${each(
  (i) => `        - id: compute-${i}
          virtual-memory:
            size: "4.0"
          virtual-cpu:
            cpu-architecture: x86
            num-virtual-cpu: 2
            pinning:
              policy: static
`,
)}      virtual-storage-desc:
${each(
  (i) => `        - id: disk-${i}
          type-of-storage: etsi-nfv-descriptors:block
          block-storage-data:
            size-of-storage: "20"
`,
)}      sw-image-desc:
${each(
  (i) => `        - id: image-${i}
          name: Image ${i}
          version: "12"
          checksum:
            algorithm: etsi-nfv-descriptors:sha-256
            hash: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0${i}
          container-format: bare
          disk-format: qcow2
          min-disk: "10"
          size: "2"
          image: images/machine-${i}.qcow2
`,
)}      int-virtual-link-desc:
${[0, 1, 2]
  .map(
    (link) => `        - id: link-${link}
          flavour:
            - id: normal
              qos:
                latency: 5
                packet-delay-variation: 1
          connectivity-type:
            layer-protocol:
              - etsi-nfv-descriptors:ipv4
`,
  )
  .join('')}      ext-cpd:
        - id: outside
          int-virtual-link-desc: link-0
          layer-protocol:
            - etsi-nfv-descriptors:ipv4
      df:
        - id: normal
          vdu-profile:
${each(
  (i) => `            - id: machine-${i}
              min-number-of-instances: 1
              max-number-of-instances: 4
              affinity-or-anti-affinity-group-id:
                - apart
`,
)}          virtual-link-profile:
${[0, 1, 2]
  .map(
    (link) => `            - id: link-${link}
              flavour: normal
              max-bit-rate-requirements:
                root: 1000
              min-bit-rate-requirements:
                root: 10
              virtual-link-protocol-data:
                associated-layer-protocol: etsi-nfv-descriptors:ipv4
                l3-protocol-data:
                  ip-version: ipv4
                  cidr: 10.${link}.0.0/16
`,
  )
  .join('')}          instantiation-level:
            - id: small
              vdu-level:
${each(
  (i) => `                - vdu-id: machine-${i}
                  number-of-instances: 1
`,
)}          default-instantiation-level: small
          affinity-or-anti-affinity-group:
            - id: apart
              affinityorAntiaffinity: anti-affinity
              scope: nfvi-node
          scaling-aspect:
            - id: all
              name: all
              max-scale-level: 3
              aspect-delta-details:
                deltas:
                  - id: one
                    vdu-delta:
${each(
  (i) => `                      - id: machine-${i}
                        number-of-instances: 1
`,
)}                step-deltas: one
`;
}
