import { execFileSync } from 'node:child_process';
import { Prober, wired } from './lab.ts';

/** So many boxes, each with a wire to every other one, a VXLAN over that wire, and a wire to the outside. */
export const BOXES = [0, 1, 2] as const;
const MTU = 1_500;
const hex = (n: number) => n.toString(16).padStart(2, '0');
const wireMac = (box: number, to: number) => `02:00:00:00:${hex(box + 1)}:${hex(to + 1)}`;
const tunnelMac = (box: number, to: number) => `02:00:00:0f:${hex(box + 1)}:${hex(to + 1)}`;
const innerMac = (box: number) => `02:00:00:0a:00:${hex(box)}`;
const outsideMac = (box: number) => `02:00:00:0b:00:${hex(box)}`;
/** Next hops: that box over the wire, over the VXLAN, and who is outside. */
export const overWire = (to: number) => `169.254.1.${to + 1}`;
export const overTunnel = (to: number) => `169.254.2.${to + 1}`;
export const OUTSIDE = '169.254.3.1';
export const OUTSIDE6 = 'fe80::f';
const underlay = (box: number) => `198.18.${box}.1`;

/** Namespaces with forwarding, segment routing and VXLAN; what a packet meets there is changed from run to run. */
export class TunnelLab implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #outside: string;
  #probe: Prober | undefined;

  constructor() {
    const id = `${process.pid}-${Date.now() % 100_000}`;
    this.names = BOXES.map((box) => `sft-tb${box}-${id}`);
    this.#outside = `sft-to-${id}`;
  }

  async start(): Promise<void> {
    for (const name of [...this.names, this.#outside]) {
      ip(['netns', 'add', name]);
      const settings = [
        'ipv6.conf.all.addr_gen_mode=1',
        'ipv6.conf.default.addr_gen_mode=1',
        'ipv6.conf.default.dad_transmits=0',
      ];
      for (const box of this.names.includes(name) ? BOXES_SETTINGS : []) settings.push(box);
      execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', ...settings.map((one) => `net.${one}`)]);
    }
    for (const box of BOXES) this.#batch(box, this.#wires(box));
    for (const box of BOXES) this.#batch(box, this.#neighbours(box));
    batch(
      this.#outside,
      BOXES.map((box) => `link set o${box} address ${outsideMac(box)} up`),
    );
    this.#probe = new Prober(
      this.#outside,
      BOXES.map((box) => `o${box}`),
    );
    await this.#probe.ready();
    for (const box of BOXES) {
      await wired(this.names[box]!, ['out', ...BOXES.filter((to) => to !== box).map((to) => `w${to}`)]);
    }
  }

  #wires(box: number): string[] {
    return [
      'link set lo up',
      `link add out type veth peer name o${box} netns ${this.#outside}`,
      `link set out address ${innerMac(box)} up`,
      `address add ${underlay(box)}/32 dev lo`,
      `address add fd00:${box}::f/128 dev lo`,
      ...BOXES.filter((to) => to > box).map(
        (to) => `link add w${to} mtu ${MTU} type veth peer name w${box} mtu ${MTU} netns ${this.names[to]}`,
      ),
    ];
  }

  #neighbours(box: number): string[] {
    const others = BOXES.filter((to) => to !== box);
    return [
      `neigh add ${OUTSIDE} lladdr ${outsideMac(box)} dev out nud permanent`,
      `neigh add ${OUTSIDE6} lladdr ${outsideMac(box)} dev out nud permanent`,
      ...others.flatMap((to) => [
        `link set w${to} address ${wireMac(box, to)} up`,
        `neigh add ${overWire(to)} lladdr ${wireMac(to, box)} dev w${to} nud permanent`,
        `neigh add fe80::${to + 1} lladdr ${wireMac(to, box)} dev w${to} nud permanent`,
        `route add ${underlay(to)}/32 via ${overWire(to)} dev w${to} onlink`,
        `link add v${to} address ${tunnelMac(box, to)} mtu 1450 type vxlan id ${10 + box + to} local ${underlay(box)} remote ${underlay(to)} dstport 4789 nolearning`,
        `link set v${to} up`,
        `neigh add ${overTunnel(to)} lladdr ${tunnelMac(to, box)} dev v${to} nud permanent`,
      ]),
    ];
  }

  /** What cannot be done (there is no such route to delete) is passed over: the lab is what the box says that it is. */
  #batch(box: number, lines: readonly string[]): void {
    batch(this.names[box]!, lines);
  }

  /** Takes away the routes, rules and filters of before. */
  configure(box: number, lines: readonly string[], ruleset: string): void {
    const rules = [1, 2, 3, 4].map((i) => `rule del priority ${100 * i}`);
    batch(this.names[box]!, [`route flush table all proto ${PROTOCOL}`, ...rules], '-4');
    batch(this.names[box]!, [`route flush table all proto ${PROTOCOL}`, ...rules], '-6');
    batch(
      this.names[box]!,
      lines.filter((line) => !line.startsWith('-6 ')),
      '-4',
    );
    batch(
      this.names[box]!,
      lines.filter((line) => line.startsWith('-6 ')).map((line) => line.slice(3)),
      '-6',
    );
    this.#run(box, ['nft', '-f', '-'], `flush ruleset\n${ruleset}`);
  }

  /** What the boxes say of themselves. */
  dump(): { readonly path: string; readonly text: string }[] {
    return BOXES.flatMap((box) => {
      const name = this.names[box]!;
      return [
        ...SHOWN.map(([path, ...args]) => ({ path: `${name}.${path}`, text: ip(['-n', name, ...args]) })),
        { path: `${name}.nft`, text: this.#run(box, ['nft', 'list', 'ruleset']) },
        { path: `${name}.sysctl`, text: this.#run(box, ['sysctl', ...READ.map((one) => `net.${one}`)]) },
      ];
    });
  }

  /** The same in JSON, file by file, of what can be said in both. */
  dumpBoth(): { readonly text: string; readonly json: string; readonly path: string }[] {
    return BOXES.flatMap((box) => {
      const name = this.names[box]!;
      return SHOWN.map(([path, ...args]) => ({
        path: `${name}.${path}`,
        text: ip(['-n', name, ...args]),
        json: ip(['-n', name, '-j', ...args]),
      }));
    });
  }

  send(box: number, packet: Uint8Array): void {
    const bytes = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex');
    const type = packet[0]! >> 4 === 6 ? '86dd' : '0800';
    const frame = Buffer.concat([bytes(innerMac(box)), bytes(outsideMac(box)), Buffer.from(type, 'hex'), packet]);
    this.#probe!.write(`send o${box} ${frame.toString('hex')}\n`);
  }

  /** What came out since the last time, and of which box. */
  async collect(milliseconds: number): Promise<readonly { readonly box: number; readonly packet: Buffer }[]> {
    const lines = await this.#probe!.flush(milliseconds);
    return lines.map((line) => {
      const [where, text] = line.split(' ');
      return { box: Number(where!.slice(1)), packet: Buffer.from(text!, 'hex') };
    });
  }

  #run(box: number, argv: readonly string[], input = ''): string {
    return execFileSync('ip', ['netns', 'exec', this.names[box]!, ...argv], { encoding: 'utf8', input });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#probe?.end();
    for (const name of [...this.names, this.#outside]) {
      try {
        ip(['netns', 'delete', name]);
      } catch {
        // It was never made.
      }
    }
  }
}

/** Marks the routes of a run. */
export const PROTOCOL = 99;
const READ = [
  'ipv4.ip_forward',
  'ipv6.conf.all.forwarding',
  'ipv6.conf.all.seg6_enabled',
  'netfilter.nf_hooks_lwtunnel',
] as const;
const SHOWN = [
  ['links', '-d', 'address', 'show'],
  ['routes', '-4', '-d', 'route', 'show', 'table', 'all'],
  ['routes6', '-6', '-d', 'route', 'show', 'table', 'all'],
  ['rule', '-4', 'rule', 'show'],
  ['rule6', '-6', 'rule', 'show'],
  ['neigh', 'neigh', 'show', 'nud', 'permanent'],
] as const;
const BOXES_SETTINGS = [
  'ipv4.ip_forward=1',
  'ipv4.conf.all.rp_filter=0',
  'ipv4.conf.default.rp_filter=0',
  'ipv4.conf.all.send_redirects=0',
  'ipv4.conf.default.send_redirects=0',
  'ipv6.conf.all.forwarding=1',
  'ipv6.conf.all.seg6_enabled=1',
  'ipv6.conf.default.seg6_enabled=1',
  'netfilter.nf_hooks_lwtunnel=1',
] as const;

function ip(args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function batch(name: string, lines: readonly string[], family?: '-4' | '-6'): void {
  try {
    execFileSync('ip', ['-n', name, ...(family === undefined ? [] : [family]), '-force', '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  } catch {
    // With -force it goes on, and says at the end that something failed.
  }
}
