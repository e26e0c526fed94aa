import { largest } from '@superfluidity/core';
import type { Topology, TopologyHost, TopologySite } from './topology.ts';

/**
 * Where the topology is drawn. Boxes in boxes need no general graph layout: sites stand side by side in the order of the
 * topology, hosts under each other, members in rows. The result depends on the topology alone, so that what has not
 * changed stays where it is, and what has moved can be animated from one layout to the next.
 */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface LinkLine {
  readonly a: string;
  readonly b: string;
  readonly from: Point;
  readonly to: Point;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly sites: ReadonlyMap<string, Box>;
  readonly hosts: ReadonlyMap<string, Box>;
  readonly members: ReadonlyMap<string, Box>;
  readonly links: readonly LinkLine[];
}

export const SIZES = {
  memberWidth: 132,
  memberHeight: 74,
  memberGap: 26,
  hostHeader: 32,
  hostPadding: 14,
  /** Name and meters in the header need this much. */
  hostWidthMin: 204,
  hostGap: 34,
  siteHeader: 44,
  sitePadding: 16,
  siteGap: 136,
  rowGap: 90,
  sitesPerRow: 4,
} as const;

interface Grid {
  readonly columns: number;
  readonly rows: number;
}

export function layoutTopology(topology: Topology): Layout {
  const sites = new Map<string, Box>();
  const hosts = new Map<string, Box>();
  const members = new Map<string, Box>();
  const perRow = topology.sites.length <= SIZES.sitesPerRow ? SIZES.sitesPerRow : bestPerRow(topology.sites.length);

  let y = 0;
  let width = 0;
  for (let start = 0; start < topology.sites.length; start += perRow) {
    const row = topology.sites.slice(start, start + perRow).map(measureSite);
    const height = largest(row.map((site) => site.height));
    let x = 0;
    for (const measured of row) {
      sites.set(measured.site.name, { x, y, width: measured.width, height });
      placeHosts(measured, { x, y, height }, hosts, members);
      x += measured.width + SIZES.siteGap;
    }
    width = Math.max(width, x - SIZES.siteGap);
    y += height + SIZES.rowGap;
  }
  return { width, height: Math.max(0, y - SIZES.rowGap), sites, hosts, members, links: linkLines(topology, sites) };
}

const bestPerRow = (count: number): number => Math.max(SIZES.sitesPerRow, Math.ceil(Math.sqrt(count * 1.5)));

interface MeasuredSite {
  readonly site: TopologySite;
  readonly width: number;
  readonly height: number;
  /** All hosts of a site are equally wide. */
  readonly hostWidth: number;
  readonly hostColumns: number;
  readonly grids: readonly Grid[];
}

function measureSite(site: TopologySite): MeasuredSite {
  const grids = site.hosts.map((host) => gridOf(host));
  const columns = Math.max(1, ...grids.map((grid) => grid.columns));
  const hostWidth = Math.max(
    SIZES.hostWidthMin,
    2 * SIZES.hostPadding + span(columns, SIZES.memberWidth, SIZES.memberGap),
  );
  const hostColumns = site.hosts.length > 3 ? 2 : 1;
  const heights = rowsOfHosts(site.hosts.length, hostColumns).map((row) =>
    largest(row.map((i) => hostHeight(grids[i]!))),
  );
  const inner = heights.reduce((sum, height) => sum + height, 0) + Math.max(0, heights.length - 1) * SIZES.hostGap;
  return {
    site,
    hostWidth,
    hostColumns,
    grids,
    width: 2 * SIZES.sitePadding + span(hostColumns, hostWidth, SIZES.hostGap),
    height: SIZES.siteHeader + inner + SIZES.sitePadding,
  };
}

function placeHosts(
  { site, hostWidth, hostColumns, grids }: MeasuredSite,
  at: { readonly x: number; readonly y: number; readonly height: number },
  hosts: Map<string, Box>,
  members: Map<string, Box>,
): void {
  const rows = rowsOfHosts(site.hosts.length, hostColumns);
  // A site that is lower than its neighbours gives the room to its hosts, so that boxes line up.
  const natural = rows.map((row) => largest(row.map((i) => hostHeight(grids[i]!))));
  const room = at.height - SIZES.siteHeader - SIZES.sitePadding - Math.max(0, rows.length - 1) * SIZES.hostGap;
  const extra = rows.length === 0 ? 0 : (room - natural.reduce((sum, height) => sum + height, 0)) / rows.length;
  let y = at.y + SIZES.siteHeader;
  rows.forEach((row, r) => {
    const height = natural[r]! + extra;
    row.forEach((i, column) => {
      const x = at.x + SIZES.sitePadding + column * (hostWidth + SIZES.hostGap);
      const host = site.hosts[i]!;
      hosts.set(host.id, { x, y, width: hostWidth, height });
      placeMembers(host, grids[i]!, { x, y, width: hostWidth, height }, members);
    });
    y += height + SIZES.hostGap;
  });
}

function placeMembers(host: TopologyHost, grid: Grid, box: Box, members: Map<string, Box>): void {
  const used = span(grid.rows, SIZES.memberHeight, SIZES.memberGap);
  const top = box.y + SIZES.hostHeader + (box.height - SIZES.hostHeader - SIZES.hostPadding - used) / 2;
  const left = box.x + (box.width - span(grid.columns, SIZES.memberWidth, SIZES.memberGap)) / 2;
  host.members.forEach((member, i) => {
    members.set(member.id, {
      x: left + (i % grid.columns) * (SIZES.memberWidth + SIZES.memberGap),
      y: top + Math.floor(i / grid.columns) * (SIZES.memberHeight + SIZES.memberGap),
      width: SIZES.memberWidth,
      height: SIZES.memberHeight,
    });
  });
}

/** At most three in a row while they are few, then as wide as high (members are wider than high). */
function gridOf(host: TopologyHost): Grid {
  const count = host.members.length;
  const columns = count <= 9 ? Math.min(3, Math.max(1, count)) : Math.ceil(Math.sqrt(count * 0.7));
  return { columns, rows: Math.max(1, Math.ceil(count / columns)) };
}

const hostHeight = (grid: Grid): number =>
  SIZES.hostHeader + span(grid.rows, SIZES.memberHeight, SIZES.memberGap) + SIZES.hostPadding;

const span = (count: number, size: number, gap: number): number => count * size + Math.max(0, count - 1) * gap;

function rowsOfHosts(count: number, columns: number): readonly (readonly number[])[] {
  const rows: number[][] = [];
  for (let i = 0; i < count; i += 1) {
    if (i % columns === 0) rows.push([]);
    rows.at(-1)!.push(i);
  }
  return rows;
}

/** A link runs at the height of the site headers, clear of the chains; between rows it runs from bottom to top. */
function linkLines(topology: Topology, sites: ReadonlyMap<string, Box>): readonly LinkLine[] {
  return topology.links.map((link) => {
    const [a, b] = [sites.get(link.a)!, sites.get(link.b)!];
    if (a.y !== b.y) {
      const [upper, lower] = a.y < b.y ? [a, b] : [b, a];
      return {
        a: link.a,
        b: link.b,
        from: { x: upper.x + upper.width / 2, y: upper.y + upper.height },
        to: { x: lower.x + lower.width / 2, y: lower.y },
      };
    }
    const [left, right] = a.x < b.x ? [a, b] : [b, a];
    const y = left.y + SIZES.siteHeader / 2;
    return { a: link.a, b: link.b, from: { x: left.x + left.width, y }, to: { x: right.x, y } };
  });
}

/** Every box on the way from one layout to another; `t` from 0 to 1. Boxes that are new start where `origin` says. */
export function tweenBoxes(
  from: ReadonlyMap<string, Box>,
  to: ReadonlyMap<string, Box>,
  t: number,
  origin: (id: string) => Box | undefined = () => undefined,
): ReadonlyMap<string, Box> {
  if (t >= 1) return to;
  const tweened = new Map<string, Box>();
  for (const [id, target] of to) {
    const start = from.get(id) ?? origin(id) ?? target;
    tweened.set(id, {
      x: mix(start.x, target.x, t),
      y: mix(start.y, target.y, t),
      width: mix(start.width, target.width, t),
      height: mix(start.height, target.height, t),
    });
  }
  return tweened;
}

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

/** Slow, fast, slow: cubic ease in and out. */
export const ease = (t: number): number => (t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2);
