import { balancerBackends, balancerFeatures } from '@superfluidity/model';

const INTRODUCTION = `# Balancers

<!-- Made by \`npm run docs\` from packages/model/balancer-features.ts. Do not edit. -->

What a balancer of a descriptor may ask for (its fields: [native descriptors](descriptor.md#balancer)), and which kinds of
balancers have it. \`linux\` is the kernel and HAProxy on a Linux site, \`octavia superfluidity\` the HAProxy behind Octavia of
this project, \`kubernetes service\` a Service of Kubernetes; the others are providers of Octavia, as its own table of them says. **yes** is for layers tcp and http,
**udp** for layer udp, **all** for both.

What the site of a unit has not is refused when a plan is made, before anything is touched: \`SF-FABRIC-BALANCER\` names the
feature and who has it. Where a cloud has several providers, a balancer gets the first that can do all that it asks for.
`;

/** `docs/reference/balancers.md` */
export function balancersPage(): string {
  const backends = Object.entries(balancerBackends);
  const rows = balancerFeatures.map((feature) => {
    const cells = backends.map(([, { streams, datagrams }]) => {
      const stream = (streams as ReadonlySet<string>).has(feature) && feature !== 'layer udp';
      const datagram = (datagrams as ReadonlySet<string>).has(feature) && !/^layer (tcp|http)$/.test(feature);
      return stream && datagram ? 'all' : stream ? 'yes' : datagram ? 'udp' : '';
    });
    return `| ${[feature, ...cells].join(' | ')} |`;
  });
  const names = ['feature', ...backends.map(([name]) => name)];
  return `${INTRODUCTION}\n| ${names.join(' | ')} |\n| ${names.map(() => '---').join(' | ')} |\n${rows.join('\n')}\n`;
}
