import type { HostLoad } from '@superfluidity/api';

/**
 * All hosts as cells of one size, site by site. A hundred thousand cells are one picture of as many pixels, drawn once and then
 * only scaled, so that panning and zooming cost the same however many there are.
 */
export interface HeatMap {
  /** In cells. */
  readonly width: number;
  readonly height: number;
  readonly blocks: readonly HeatBlock[];
}

export interface HeatBlock {
  readonly site: string;
  readonly hosts: readonly string[];
  readonly load: readonly number[];
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
}

export interface View {
  /** Cell at the left upper corner of the window. */
  readonly x: number;
  readonly y: number;
  /** Pixels of a cell. */
  readonly scale: number;
}

/** Above each block there is room for the name of the site, of so many pixels; in cells that depends on how small they get. */
const HEAD_PX = 24;
const WINDOW_PX = 600_000;
export const SCALE = { min: 0.5, max: 64 } as const;

/** Blocks beside each other in rows, of about the proportions of the window. */
export function layoutHeat(loads: readonly HostLoad[], by: 'cpu' | 'memory', proportion: number): HeatMap {
  const total = loads.reduce((sum, one) => sum + one.hosts.length, 0);
  const head = Math.ceil(HEAD_PX / Math.min(SCALE.max, Math.sqrt(WINDOW_PX / Math.max(1, total))));
  const gap = Math.ceil(head / 2);
  const wanted = Math.max(4, Math.ceil(Math.sqrt(total * proportion)));
  const blocks: HeatBlock[] = [];
  let [x, y, lowest, width] = [0, 0, 0, 1];
  for (const one of loads) {
    const count = one.hosts.length;
    const columns = Math.max(1, Math.min(wanted, Math.ceil(Math.sqrt(count * proportion))));
    const rows = Math.max(1, Math.ceil(count / columns));
    if (x > 0 && x + columns > wanted) [x, y] = [0, lowest + gap];
    blocks.push({
      site: one.site,
      hosts: one.hosts,
      load: by === 'cpu' ? one.cpu : one.memory,
      x,
      y: y + head,
      columns,
      rows,
    });
    lowest = Math.max(lowest, y + head + rows);
    width = Math.max(width, x + columns);
    x += columns + gap;
  }
  return { width, height: Math.max(1, lowest), blocks };
}

export interface Cell {
  readonly site: string;
  readonly host: string;
  readonly load: number;
}

/** What is at a point, counted in cells. */
export function cellAt(map: HeatMap, x: number, y: number): Cell | undefined {
  const block = map.blocks.find((one) => x >= one.x && x < one.x + one.columns && y >= one.y && y < one.y + one.rows);
  if (block === undefined) return undefined;
  const i = Math.floor(y - block.y) * block.columns + Math.floor(x - block.x);
  const host = block.hosts[i];
  return host === undefined ? undefined : { site: block.site, host, load: block.load[i]! };
}

/** All of it in the window, in its middle. */
export function wholeView(map: HeatMap, room: { readonly width: number; readonly height: number }): View {
  const scale = Math.min(SCALE.max, Math.max(SCALE.min, Math.min(room.width / map.width, room.height / map.height)));
  return {
    x: Math.min(0, (map.width - room.width / scale) / 2),
    y: Math.min(0, (map.height - room.height / scale) / 2),
    scale,
  };
}

/** Larger or smaller by a factor, with the point under the pointer where it is. */
export function zoomed(view: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const scale = Math.min(SCALE.max, Math.max(SCALE.min, view.scale * factor));
  return { x: view.x + at.x / view.scale - at.x / scale, y: view.y + at.y / view.scale - at.y / scale, scale };
}

/** Steps of load, in percent; what takes no units has a colour of its own. */
export const LOAD_STEPS = [0, 20, 40, 60, 80, 95] as const;

export function stepOfLoad(load: number): number {
  if (load < 0) return -1;
  return LOAD_STEPS.findLastIndex((step) => load >= step);
}
