/** What a node template is to the model, whatever profile its type comes from. */
export type Kind =
  | 'ns'
  | 'vnf'
  | 'vdu'
  | 'compute'
  | 'port'
  | 'external-port'
  | 'link'
  | 'path'
  | 'position'
  | 'element'
  | 'forwarding';

/**
 * Types of the profiles, known by name: SOL001 (v2.6.1 to v4.4.1), the earlier NFV profile of OASIS
 * (tosca_simple_profile_for_nfv_1_0), and the normative types of TOSCA Simple Profile 1.3, clause 5.9.
 */
const known: Readonly<Record<string, Kind>> = {
  'tosca.nodes.nfv.NS': 'ns',
  'tosca.nodes.nfv.VNF': 'vnf',
  'tosca.nodes.nfv.Vdu.Compute': 'vdu',
  'tosca.nodes.nfv.Vdu.OsContainerDeployableUnit': 'vdu',
  'tosca.nodes.nfv.VDU': 'vdu',
  'tosca.nodes.Compute': 'compute',
  'tosca.nodes.nfv.VduCp': 'port',
  'tosca.nodes.nfv.CP': 'port',
  'tosca.nodes.network.Port': 'port',
  'tosca.nodes.nfv.VnfExtCp': 'external-port',
  'tosca.nodes.nfv.VnfVirtualLink': 'link',
  'tosca.nodes.nfv.NsVirtualLink': 'link',
  'tosca.nodes.nfv.VL': 'link',
  'tosca.nodes.network.Network': 'link',
  'tosca.nodes.nfv.NFP': 'path',
  'tosca.nodes.nfv.NfpPosition': 'position',
  'tosca.nodes.nfv.NfpPositionElement': 'element',
  'tosca.nodes.nfv.Forwarding': 'forwarding',
};

/** Requirements of the same meaning in the three profiles. */
export const requirementNames = {
  binding: ['virtual_binding', 'virtualBinding', 'binding'],
  link: ['virtual_link', 'virtualLink', 'link'],
} as const;

/** Of `tosca.nodes.nfv.VL.ELine` too: a type below a known one. */
export function knownKind(type: string): Kind | undefined {
  for (let name = type; name.includes('.'); name = name.slice(0, name.lastIndexOf('.'))) {
    const kind = known[name];
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** Types that nobody has to define: their names are those of the specifications. */
export const isNormative = (type: string): boolean => /^(?:tosca|toscaext)\./.test(type);

/** Types that the written form defines anew. */
export const isOwn = (type: string): boolean => type.startsWith('superfluidity.');

/** Files of type definitions that packages refer to by name and mostly do not contain. */
export const isWellKnownImport = (name: string): boolean =>
  /^https?:\/\//.test(name) || /(?:^|\/)(?:etsi_nfv_sol001_\w+_types|tosca_\w+|TOSCA_\w+)\.ya?ml$/.test(name);

/** What the written form adds: how a VDU is run beside a disk image (nested VDUs of D6.1 annex B2, as derived types), and policies. */
export const own = {
  file: 'superfluidity_types.yaml',
  vdu: 'superfluidity.nodes.nfv.Vdu.Nested',
  port: 'superfluidity.nodes.nfv.VduCp',
  /** A claim about the data plane of the whole service. */
  policy: 'superfluidity.policies.DataPlane',
  nestedType: 'superfluidity',
} as const;
