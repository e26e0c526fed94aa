/**
 * Nodes of the YANG modules of ETSI GS NFV-SOL 006 v3.6.1 that are not plain text or groups in JSON (RFC 7951), made of the
 * modules by `yangKinds` (testing/yang.ts); a test holds both together. A node has the kind under the longest ending of its
 * path that is named here; leaves named nowhere are text.
 */
export const yangKinds: Readonly<Record<string, readonly string[]>> = {
  list: names(`additional-configurable-property address-data affinity-or-anti-affinity-group boot-order
    change-current-vnf-package-op-config component-mapping deltas dependencies df df/instantiation-level
    df/monitoring-parameter df/ns-profile df/pnf-profile df/vnf-profile element-group ext-cpd ext-cpd/protocol
    indicator input-parameter int-cpd/protocol int-virtual-link-desc/flavour interface-details
    lcm-operations-coordination lifecycle-management-script local-affinity-or-anti-affinity-rule logical-node
    monitored-info monitoring-parameters network-interface-requirements nfp-position-element nfpd
    nfvi-maintenance-info/max-number-of-impacted-instances nfvi-maintenance-info/min-number-of-preserved-instances
    ns-instantiation-level ns-to-level-mapping nsd nsd/sapd nsd/virtual-link-desc output-parameter parameter
    params pinning/rule pnfd position-desc request-additional-capability requirement-detail sapd/protocol
    scaling-aspect scaling-info script-input security-group-rule sub-port-list supported-coordination-actions
    supported-vnf-interfaces target-performance-parameters trunk-port vdu-cpu-requirements vdu-delta vdu-level
    vdu-mem-requirements vdu-profile vdu-storage-requirements vdu/configurable-properties vdu/int-cpd
    vdu/monitoring-parameter vip-cp-delta vip-cp-level vip-cp-profile vip-cpd/protocol virtual-disk
    virtual-link-bit-rate-delta virtual-link-connectivity virtual-link-connectivity/constituent-cpd-id
    virtual-link-profile virtual-link-to-level-mapping virtual-network-interface-requirement
    vnf-package-change-info vnf-to-level-mapping vnfd vnfd/int-virtual-link-desc vnfd/sw-image-desc vnfd/vdu
    vnfd/vip-cpd vnfd/virtual-compute-desc vnfd/virtual-storage-desc vnffgd`),
  'text-list':
    names(`additional-modification-description affinity-or-anti-affinity-group-id auto-scale autoscale-rule cause
    element-group/vdu element-group/virtual-link-desc extension int-virtual-link-desc/test-access
    interface-specific-data ip-allocation-pools lcm-transition-event metadata modification-qualifier
    nested-ns-profile-id nested-nsd-id nfp-position-element-id nfvi-constraint nsd/pnfd-id nsd/vnfd-id
    supported-migration-type supported-virtualization-environment supported-vnf-interfaces/cpd-id
    vdu/virtual-storage-desc vip-cpd/int-cpd vnfd/indicator/indicator-value vnfd/lifecycle-management-script/event
    vnffgd/pnf-profile-id vnffgd/vnf-profile-id vnfm-info`),
  number: names(`bit-rate-requirements/leaf bit-rate-requirements/root boot-order/key clock group-size
    impact-notification-lead-time latency max-bit-rate-requirements/leaf max-bit-rate-requirements/root
    max-number-of-impacted-instances/max-number-of-impacted-instances max-number-of-instances
    max-recommended-graceful-stop-timeout max-recommended-graceful-termination max-scale-level
    max-undetectable-interruption-time min-bit-rate-requirements/leaf min-bit-rate-requirements/root
    min-graceful-stop-timeout min-graceful-termination min-number-of-instances min-number-of-preserved-instances/min-number-of-preserved-instances
    min-recovery-time-between-impacts mtu num-virtual-cpu number-of-instances number-of-ip-addresses order
    packet-delay-variation port port-range-max port-range-min priority scale-level service-availability-level
    sub-port-list/segmentation-id`),
  identityref:
    names(`address-data/type associated-layer-protocol checksum/algorithm forwarding-behaviour role type-of-storage
    vip-function vnic-type`),
  'identityref-list': names(`layer-protocol supported-operation`),
  boolean: names(`arbitrary-target-levels-supported dedicated-ip-address dhcp-enabled floating-ip-activated
    ip-address-assignment is-auto-heal-enabled is-auto-scalable-enabled is-impact-mitigation-requested
    mac-address-assignment numa-enabled rdma-enabled scaling-by-more-than-one-step-supported support-mandatory
    trunk-mode vlan-transparent`),
};

function names(text: string): readonly string[] {
  return text.split(/\s+/);
}
