import { useEffect, useMemo, useRef, useState } from 'react';
import { type Box, ease, type Layout, layoutTopology, tweenBoxes } from '../view-model/layout.ts';
import type { Topology } from '../view-model/topology.ts';

const MOVE_MS = 900;

export interface Frame {
  readonly sites: ReadonlyMap<string, Box>;
  readonly hosts: ReadonlyMap<string, Box>;
  readonly members: ReadonlyMap<string, Box>;
  /** Boxes of the hops by `chain|role`, which outlive the unit that plays the role. */
  readonly hops: ReadonlyMap<string, Box>;
}

/**
 * The layout of the topology, on the way from the one before. A unit that takes over the role of another (a move makes
 * before it breaks) starts where that one is, so that people see what moved where.
 */
export function useAnimatedLayout(topology: Topology): { readonly layout: Layout; readonly frame: Frame } {
  const layout = useMemo(() => layoutTopology(topology), [topology]);
  const target = useMemo(() => frameOf(topology, layout), [topology, layout]);
  const shown = useRef({ frame: target, roles: rolesOf(topology) });
  const [frame, setFrame] = useState(target);

  useEffect(() => {
    const from = shown.current;
    const roles = rolesOf(topology);
    const origin = (id: string): Box | undefined => {
      const role = roles.get(id);
      if (role === undefined) return undefined;
      for (const [other, otherRole] of from.roles) {
        if (otherRole === role && other !== id) return from.frame.members.get(other);
      }
      return undefined;
    };
    const show = (next: Frame) => {
      shown.current = { frame: next, roles };
      setFrame(next);
    };
    const still = sameBoxes(from.frame, target) || matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (still || from.frame.members.size === 0) {
      show(target);
      return;
    }
    let request = 0;
    const start = performance.now();
    const step = (now: number) => {
      const t = ease(Math.min(1, (now - start) / MOVE_MS));
      show({
        sites: tweenBoxes(from.frame.sites, target.sites, t),
        hosts: tweenBoxes(from.frame.hosts, target.hosts, t),
        members: tweenBoxes(from.frame.members, target.members, t, origin),
        hops: tweenBoxes(from.frame.hops, target.hops, t),
      });
      if (t < 1) request = requestAnimationFrame(step);
    };
    request = requestAnimationFrame(step);
    return () => cancelAnimationFrame(request);
  }, [topology, target]);

  return { layout, frame };
}

export const hopKey = (chain: string, role: string): string => `${chain}|${role}`;

function frameOf(topology: Topology, layout: Layout): Frame {
  const hops = new Map<string, Box>();
  for (const chain of topology.chains) {
    for (const hop of chain.hops) {
      const box = layout.members.get(hop.member);
      if (box !== undefined) hops.set(hopKey(chain.name, hop.role), box);
    }
  }
  return { sites: layout.sites, hosts: layout.hosts, members: layout.members, hops };
}

function rolesOf(topology: Topology): ReadonlyMap<string, string> {
  const roles = new Map<string, string>();
  for (const site of topology.sites) {
    for (const host of site.hosts) for (const member of host.members) roles.set(member.id, member.role);
  }
  return roles;
}

function sameBoxes(a: Frame, b: Frame): boolean {
  return (['sites', 'hosts', 'members', 'hops'] as const).every((key) => {
    if (a[key].size !== b[key].size) return false;
    for (const [id, box] of b[key]) {
      const other = a[key].get(id);
      if (
        other === undefined ||
        other.x !== box.x ||
        other.y !== box.y ||
        other.width !== box.width ||
        other.height !== box.height
      )
        return false;
    }
    return true;
  });
}
