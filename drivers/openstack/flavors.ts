import { shortName, SuperfluidityError, Turns } from '@superfluidity/core';
import { createFlavor, type Flavor, listFlavors, type NewFlavor } from '@superfluidity/openstack';
import type { UnitSpec } from '@superfluidity/site';
import { isAmong, LIMITS, type OpenstackConfig } from './config.ts';
import type { World } from './world.ts';

type Size = Pick<UnitSpec, 'path' | 'cpu' | 'memoryMiB' | 'storageMiB'>;

/** Which flavour a unit gets. */
export class Flavors {
  readonly #world: World;
  readonly #turns = new Turns();
  #known: { readonly untilMs: number; readonly flavors: Promise<readonly Flavor[]> } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  list(): Promise<readonly Flavor[]> {
    const now = this.#world.clock.now();
    if (this.#known === undefined || this.#known.untilMs <= now) {
      const flavors = listFlavors(this.#world.cloud, this.#world.ask());
      const known = { untilMs: now + LIMITS.capabilitiesKeptMs, flavors };
      this.#known = known;
      flavors.catch(() => {
        if (this.#known === known) this.#known = undefined;
      });
    }
    return this.#known.flavors;
  }

  async of(spec: Size, doing: string): Promise<Flavor> {
    const { flavors: rules } = this.#world.config;
    const chosen = chooseFlavor(await this.list(), spec, rules);
    if (chosen !== undefined) return chosen;
    const demanded = rules.units[spec.path];
    const size = { ...sizeOf(spec), name: this.#name(spec) };
    if (demanded === undefined && rules.create) return this.#turns.take(size.name, () => this.#make(spec, size));
    throw new SuperfluidityError('SF-SITE-NO-CAPACITY', {
      doing,
      reason:
        demanded === undefined
          ? `no flavour has ${size.vcpus} VCPUs, ${size.ram} MiB of memory and ${size.disk} GiB of disk`
          : `the cloud has no flavour ${demanded}`,
      hint: 'See the flavours with `superfluidity site show NAME`, or let the site make one: `flavors: {create: true}`.',
    });
  }

  /** All that were made for this site begin with it. */
  get prefix(): string {
    return `superfluidity-${shortName('', this.#world.siteId)}-`;
  }

  forget(): void {
    this.#known = undefined;
  }

  #name(spec: Size): string {
    const { vcpus, ram, disk } = sizeOf(spec);
    return `${this.prefix}${vcpus}c-${ram}m-${disk}g`;
  }

  async #make(spec: Size, size: NewFlavor): Promise<Flavor> {
    const made = chooseFlavor(await this.list(), spec, this.#world.config.flavors);
    if (made !== undefined) return made;
    const flavor = await createFlavor(this.#world.cloud, size, AbortSignal.timeout(LIMITS.createMs));
    this.#known = undefined;
    return flavor;
  }
}

/** The one that is demanded, else the smallest that fits. Those with special demands on hosts are for those who name them. */
export function chooseFlavor(
  flavors: readonly Flavor[],
  spec: Size,
  rules: Pick<OpenstackConfig['flavors'], 'only' | 'units'>,
): Flavor | undefined {
  const demanded = rules.units[spec.path];
  if (demanded !== undefined) return flavors.find(({ name, id }) => name === demanded || id === demanded);
  const { vcpus, ram, disk } = sizeOf(spec);
  return flavors
    .filter(({ name }) => isAmong(rules.only, name))
    .filter((one) => rules.only !== undefined || Object.keys(one.extra_specs ?? {}).length === 0)
    .filter((one) => one.vcpus >= vcpus && one.ram >= ram && one.disk >= disk)
    .toSorted((a, b) => a.vcpus - b.vcpus || a.ram - b.ram || a.disk - b.disk || (a.name < b.name ? -1 : 1))[0];
}

/** Of Ironic's machines, each of which is a hypervisor of its own: their flavours take a machine, and no processors. */
export function isWholeMachine({ extra_specs = {} }: Flavor): boolean {
  return extra_specs['resources:VCPU'] === '0';
}

function sizeOf({ cpu, memoryMiB, storageMiB }: Size) {
  const [vcpus, ram, disk] = [Math.max(1, Math.ceil(cpu)), Math.ceil(memoryMiB), Math.ceil(storageMiB / 1_024)];
  return { vcpus, ram, disk };
}
