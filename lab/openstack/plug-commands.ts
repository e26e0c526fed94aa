/** A port that Neutron bound to this host, as its database has it. */
export interface WantedPort {
  readonly id: string;
  readonly mac: string;
  /** The server or whatever else the port belongs to. */
  readonly owner: string;
  /** JSON. */
  readonly details: string;
}

export interface Plugged {
  readonly device: string;
  readonly bridge: string;
}

const INTEGRATION_BRIDGE = 'br-int';
/** As os-vif cuts it: names of devices have 15 characters at most. */
const ID_CHARACTERS = 11;

/**
 * Arguments for one call of ovs-vsctl that plugs what is wanted and not there, and takes away what is not wanted any
 * more; `have` is brought up to date. The parent of a trunk is plugged into the bridge of the trunk, which the agent
 * removes when the port is gone.
 */
export function plugCommands(wanted: ReadonlyMap<string, WantedPort>, have: Map<string, Plugged>): readonly string[] {
  const commands: string[][] = [];
  for (const { id, mac, owner, details } of wanted.values()) {
    if (have.has(id)) continue;
    const bridge = bridgeOf(details);
    const device = `tap${id.slice(0, ID_CHARACTERS)}`;
    if (bridge !== INTEGRATION_BRIDGE)
      commands.push(['--may-exist', 'add-br', bridge], ['set', 'bridge', bridge, 'datapath_type=netdev']);
    commands.push(
      ['--may-exist', 'add-port', bridge, device],
      [
        'set',
        'Interface',
        device,
        'type=internal',
        `external_ids:iface-id=${id}`,
        `external_ids:attached-mac="${mac}"`,
        'external_ids:iface-status=active',
        `external_ids:vm-uuid="${owner === '' ? id : owner}"`,
        'external_ids:lab-plug=yes',
        `external_ids:lab-bridge=${bridge}`,
      ],
    );
    have.set(id, { device, bridge });
  }
  for (const [id, { device }] of have) {
    if (wanted.has(id)) continue;
    commands.push(['--if-exists', 'del-port', device]);
    have.delete(id);
  }
  return commands.flatMap((command, index) => (index === 0 ? command : ['--', ...command]));
}

function bridgeOf(details: string): string {
  try {
    const { bridge_name: name } = JSON.parse(details) as { readonly bridge_name?: unknown };
    return typeof name === 'string' && /^[\w-]{1,15}$/.test(name) ? name : INTEGRATION_BRIDGE;
  } catch {
    return INTEGRATION_BRIDGE;
  }
}
