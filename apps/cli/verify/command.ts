import { Command } from 'commander';
import { positive, seconds, type Run } from '../arguments.ts';

export function verifyCommand(run: Run): Command {
  const verify = new Command('verify')
    .description('prove a network before it is live: who reaches whom, loops, black holes, what is kept apart')
    .addHelpText(
      'after',
      `
NET is a folder, a file or an archive (tar, zip) of what people have: routing tables (show ip cef, show ip route, route -n,
also IPv6), what a Linux box says of itself (ip -d addr, ip -d route show table all with SRv6, ip rule, ip neigh, sysctl;
text or JSON), running configurations of Cisco, MAC tables (show mac address-table, bridge fdb) and VLANs of ports
(show vlan, show interfaces switchport, bridge vlan), iptables-save, nft rulesets, ipset, Click configurations,
ovs-ofctl dump-flows and dump-groups, ovs-appctl fdb/show, dumps of the Neutron API, SEFL, and a file of links (a:eth0 -> b:eth1).
Each is recognised by its content. A box is named after its file; packets come in at box:in.

Exit codes: 0 holds, 1 violated, 2 input that cannot be used, 3 unknown (a bound was hit, or lines were not understood)

Example:
  superfluidity verify reach net --from edge:in --to core --packet 'tcp && dst 10.0.0.0/8 port 80'`,
    );
  const asking = (name: string, text: string) =>
    withPackets(verify.command(name).description(text).argument('<net>', 'folder, file or archive')).option(
      '--to <place>',
      'box, or box:port',
    );
  const withPackets = (command: Command) =>
    command
      .option('--from <port...>', 'where packets begin: box:port (default: every box:in)', [])
      .option('--packet <filter>', "which packets: 'tcp && dst 10.0.0.0/8 port 80'")
      .option('--layout <name>', 'headers: ipv4, ipv4/tcp, ether/ipv4, ipv6, ... (default: ipv4)')
      .option('--time-limit <seconds>', 'after that the answer is unknown', seconds, 60)
      .option('--max-paths <count>', 'of more paths the answer is unknown (default: 200000)', positive)
      .option(
        '--max-nodes <count>',
        'of more nodes of decision diagrams the answer is unknown (default: 20000000)',
        positive,
      );
  const withForms = (command: Command) =>
    command
      .option('--paths <count>', 'how many to print', positive, 1)
      .option('--sarif', 'print SARIF 2.1.0')
      .option('--dot', 'print the paths for Graphviz')
      .option('--mermaid', 'print the paths for Mermaid')
      .option('--coverage', 'print which rules packets met, and which not (of diff: of the first network)')
      .option('--pcap <file>', 'write the packets');
  for (const [name, text] of [
    ['reach', 'do packets get there, and which?'],
    ['isolation', 'does no packet get there?'],
    ['loops', 'does no packet come back to where it was?'],
    ['blackholes', 'is no packet sent to where nothing is?'],
    ['invariants', 'do packets arrive with the fields that they had?'],
    ['multipath', 'do all ways of a packet arrive, or none?'],
  ] as const) {
    withForms(asking(name, text))
      .option('--fields <name...>', 'of invariants: IPv4.src, TCP.dport, ...')
      .action(
        run(async (context, net: string, options) =>
          (await import('./verify.ts')).verify(context, name, net, options as never),
        ),
      );
  }
  const ask = run(async (context, name: string, net: string, options) =>
    (await import('./verify.ts')).verify(context, name, net, options as never),
  );
  const question = (name: string) => (net: string, options: unknown, command: Command) =>
    ask(name, net, options, command);
  withForms(asking('waypoints', 'do all packets that get there come through these places, in that order?'))
    .requiredOption('--through <place...>', 'boxes, or box:port')
    .action(question('waypoints'));
  for (const [name, text] of [
    ['visible', 'do packets show, where they come by, the fields that were sent?'],
    ['hidden', 'can nobody read the fields there, not even inside a tunnel?'],
  ] as const) {
    const command = verify.command(name).description(text).argument('<net>', 'folder, file or tar archive');
    withForms(withPackets(command))
      .requiredOption('--at <place>', 'box, or box:port')
      .option('--fields <name...>', 'IPv4.src, TCP.dport, ... (default: IPv4.src IPv4.dst)')
      .action(question(name));
  }
  withForms(asking('symmetry', 'do the answers of packets come back the way that the packets went?'))
    .option('--back <port>', 'where answers come in (default: where packets leave)')
    .action(question('symmetry'));
  withForms(asking('mtu', 'do all packets fit through the links that they come to?'))
    .option(
      '--size <bytes>',
      'of the longest packet that is sent (default: the MTU of the first interface, or 1500)',
      positive,
    )
    .option('--no-fragments', 'packets that are fragmented count as lost')
    .action(question('mtu'));
  withForms(
    withPackets(
      verify
        .command('policy')
        .description('do the policies of a file hold? Formulas of NetCTL, and rules `reach from`')
        .argument('<net>', 'folder, file or archive')
        .argument('<policies>', 'file of policies: docs/guides/verify.md has the language'),
    ),
  ).action(
    run(async (context, net: string, policies: string, options) =>
      (await import('./policy.ts')).policy(context, net, policies, options as never),
    ),
  );
  withForms(
    withPackets(
      verify
        .command('diff')
        .description('do two networks send out the same packets for every packet that comes in?')
        .argument('<net-a>', 'folder, file or archive')
        .argument('<net-b>', 'folder, file or archive'),
    ),
  )
    .option(
      '--map <file>',
      'YAML: which port of the second network a port of the first is (default: the same name, or the same port of Neutron)',
    )
    .option('--ignore <field...>', 'fields that may differ (default: checksums)')
    .action(
      run(async (context, netA: string, netB: string, options) =>
        (await import('./diff.ts')).diff(context, netA, netB, options as never),
      ),
    );
  verify
    .command('dump-node')
    .description(
      'what a node of OpenStack with Open vSwitch has of its networks, as files: the second network of `verify diff`',
    )
    .requiredOption('--to <folder>', 'where files go; those of several nodes into one folder')
    .option('--node <name>', 'part of the names of boxes (default: the name of this machine)')
    .option(
      '--through <words>',
      "put before each command: 'ssh root@compute1', 'sudo', 'podman exec openvswitch_vswitchd'",
    )
    .option('--vswitchd <socket>', 'control socket of ovs-vswitchd, where it is not in the usual place')
    .addHelpText(
      'after',
      `
Runs programs that only read: ovs-vsctl, ovs-ofctl, ovs-appctl, ip, iptables-save. They need root.

Example:
  superfluidity site dump core --to dump
  superfluidity verify dump-node --to dump/realised --node compute1 --through 'ssh root@compute1'
  superfluidity verify diff dump/intent dump/realised`,
    )
    .action(run(async (context, options) => (await import('./dump-node.ts')).dumpNode(context, options as never)));
  verify
    .command('policies')
    .description('does what is installed in a cluster of Kubernetes enforce its NetworkPolicies, no less and no more?')
    .argument('[files]', 'folder, file or archive: objects of the cluster, rules of nodes, lists of Neutron')
    .option('--site <name>', 'a site of kind kubernetes, whose cluster is asked for what the files do not have')
    .option('--kubeconfig <file>', 'credentials, in the place of a site')
    .option('--context <name>', 'one of its contexts (default: its current one)')
    .option(
      '--namespace <name>',
      'where the daemons of Kuryr are, which are asked for the rules of nodes',
      'kube-system',
    )
    .option(
      '--cloud <name>',
      'of clouds.yaml of this machine: is asked for the security groups of the ports that pods have',
    )
    .option('--to <folder>', 'write what the cluster said into files, which can be asked again')
    .option('--no-nodes', 'do not ask whether nodes and their own pods reach each other')
    .option('--differences <count>', 'how many to tell, of different pairs of ends', positive, 10)
    .option('--time-limit <seconds>', 'after that the answer is unknown', seconds, 60)
    .option('--max-nodes <count>', 'of more nodes of decision diagrams the answer is unknown', positive)
    .option('--sarif', 'print SARIF 2.1.0')
    .addHelpText(
      'after',
      `
Files: kubectl get pods,namespaces,nodes,networkpolicies -A -o json, as any .json; of each node nft list ruleset (or one
table, or iptables-save) in a file that is named after the node (node1.nft; empty: it has none); and the intent of
\`superfluidity site dump\` where pods have ports of a cloud.

Example:
  superfluidity verify policies --site pods
  superfluidity verify policies --kubeconfig admin.conf --cloud north --to dump
  superfluidity verify policies dump`,
    )
    .action(
      run(async (context, files: string | undefined, options) =>
        (await import('./policies.ts')).policies(context, files, options as never),
      ),
    );
  verify
    .command('rules')
    .description('which rules could as well not be there: shadowed, redundant, or for packets that there are not')
    .argument('<net>', 'folder, file or archive')
    .option('--time-limit <seconds>', 'what is not decided by then is named', seconds, 60)
    .option('--max-nodes <count>', 'what takes more nodes of decision diagrams is named (default: 20000000)', positive)
    .option('--sarif', 'print SARIF 2.1.0')
    .action(
      run(async (context, net: string, options) => (await import('./rules.ts')).rules(context, net, options as never)),
    );
  withPackets(
    verify
      .command('coverage')
      .description('to which rules does no packet get through the network?')
      .argument('<net>', 'folder, file or tar archive'),
  )
    .option('--sarif', 'print SARIF 2.1.0')
    .action(
      run(async (context, net: string, options) =>
        (await import('./verify.ts')).coverage(context, net, options as never),
      ),
    );
  verify
    .command('updates')
    .description('apply updates of routing tables one by one: which bring loops and black holes?')
    .argument('<net>', 'folder, file or tar archive, of routing tables and links')
    .argument('<updates>', 'file of lines like `+ edge 10.2.0.0/16 eth1` and `- edge 10.2.0.0/16`')
    .option('--sarif', 'print SARIF 2.1.0')
    .action(
      run(async (context, net: string, file: string, options) =>
        (await import('./updates.ts')).updates(context, net, file, options as never),
      ),
    );
  verify
    .command('destinations')
    .description(
      'everywhere that packets can end, of a recording of rules (updates, topo.txt, vlan.txt), by sets of packets',
    )
    .argument('<net>', 'folder or archive')
    .requiredOption('--from <box>', 'where packets begin, from outside')
    .action(
      run(async (context, net: string, options) =>
        (await import('./destinations.ts')).destinations(context, net, options as never),
      ),
    );
  verify
    .command('show')
    .description('print the network as SEFL, the language of the engine; that text is a network, too')
    .argument('<net>', 'folder, file or archive')
    .action(run(async (context, net: string) => (await import('./show.ts')).show(context, net)));
  withForms(
    verify
      .command('service')
      .description('do the policies of a service hold, on what is meant to be there or on what its sites have?')
      .argument('<service...>', 'name of a service, or the files of a descriptor: then with all functions on one site')
      .option('--realised', 'read the data plane of the sites, and verify that')
      .option('--time-limit <seconds>', 'of a descriptor: after that the answer is unknown', seconds, 60),
  ).action(
    run(async (context, names: readonly string[], options) =>
      (await import('./service.ts')).service(context, names, options as never),
    ),
  );
  verify
    .command('ways')
    .description('where do packets of a service that runs go, hop by hop, and do answers come back?')
    .argument('<service>', 'name of a service')
    .requiredOption('--from <place>', 'function, unit or network of the service')
    .option('--to <place>', 'the same (default: anywhere)')
    .option('--packet <filter>', "which packets: 'tcp dst port 80'")
    .option('--realised', 'on what the sites have now')
    .option('--paths <count>', 'how many to print', positive, 3)
    .action(
      run(async (context, name: string, options) => (await import('./ways.ts')).ways(context, name, options as never)),
    );
  asking('explain', 'one packet, hop by hop, rule by rule').action(
    run(async (context, net: string, options) => (await import('./verify.ts')).explain(context, net, options as never)),
  );
  return verify;
}
