import type { InputFile } from '@superfluidity/verify';

/** Numbers that look random and are the same in every run (Numerical Recipes' linear congruential generator). */
export function draw(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A text of so many lines, without a list of them: what is left of making it would count as memory of the case. */
function linesOf(count: number, line: (i: number) => string): string {
  let bytes = Buffer.alloc(1 << 16);
  let size = 0;
  for (let i = 0; i < count; i += 1) {
    const text = `${line(i)}\n`;
    if (size + text.length > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
    size += bytes.write(text, size, 'latin1');
  }
  return bytes.toString('latin1', 0, Math.max(0, size - 1));
}

/** A routing table as `show ip cef` prints it, with the lengths of prefixes of the Internet: half of them /24. */
export function routingTable(prefixes: number, interfaces: number, seed = 1): string {
  const next = draw(seed);
  return linesOf(prefixes, () => {
    const length = next(100) < 55 ? 24 : 8 + next(17);
    const block = 2 ** (32 - length);
    const address = Math.floor(next(2 ** 32) / block) * block;
    const dotted = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
    return `${dotted}/${length} 192.0.2.${1 + next(250)} eth${next(interfaces)}`;
  });
}

/** The same table, said in another way: each tenth prefix has its lower half beside it. */
export function saidOtherwise(table: string): string {
  const seen = new Set<string>();
  const halves: string[] = [];
  for (const [i, line] of table.split('\n').entries()) {
    const [prefix = '', ...rest] = line.split(' ');
    const [address, length] = prefix.split('/');
    // Of equal prefixes the first one counts.
    if (i % 10 === 0 && !seen.has(prefix)) halves.push([`${address}/${Number(length) + 1}`, ...rest].join(' '));
    seen.add(prefix);
  }
  return [table, ...halves].join('\n');
}

/** The table of a switch that has learned so many addresses, as Cisco prints it. */
export function macTable(macs: number, ports: number): string {
  const next = draw(2);
  const group = () =>
    next(2 ** 16)
      .toString(16)
      .padStart(4, '0');
  return linesOf(macs, () => ` 302    ${group()}.${group()}.${group()}    DYNAMIC     Gi0/${next(ports)}`);
}

/** A chain of routers: what the first sends on, the next one routes again. */
export function routersInARow(routers: number, prefixes: number): readonly InputFile[] {
  const files = Array.from({ length: routers }, (_, i) => ({
    path: `r${i}.rt`,
    text: routingTable(prefixes, 4, i + 1),
  }));
  const links = Array.from({ length: routers - 1 }, (_, i) => `r${i}:eth0 -> r${i + 1}:in`).join('\n');
  return [...files, { path: 'links', text: `${links}\n` }];
}

/** A firewall with so many rules in its FORWARD chain, no two alike. */
export function firewall(rules: number): readonly InputFile[] {
  const next = draw(3);
  const body = Array.from({ length: rules }, () => {
    const to = `10.${next(256)}.${next(256)}.${next(256)}`;
    const protocol = next(2) === 0 ? 'tcp' : 'udp';
    return `-A FORWARD -s 192.168.${next(256)}.0/24 -d ${to}/32 -p ${protocol} -m ${protocol} --dport ${1 + next(65_535)} -j ${next(3) === 0 ? 'DROP' : 'ACCEPT'}`;
  });
  return [
    {
      path: 'fw.rules',
      text: [
        '*filter',
        ':INPUT ACCEPT [0:0]',
        ':FORWARD DROP [0:0]',
        ':OUTPUT ACCEPT [0:0]',
        ...body,
        'COMMIT',
        '',
      ].join('\n'),
    },
    { path: 'fw.routes', text: '10.0.0.0/8 dev eth1\n192.168.0.0/16 dev eth0\n' },
  ];
}
