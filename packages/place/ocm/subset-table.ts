import { countBits, functionsOf } from './blocks.ts';
import type { Block } from './chain.ts';

/**
 * The cheapest way to place each set of functions on hosts that hold one block each: dynamic programming over the hosts, one
 * after the other. With cuts counted, a set has one entry for each number of pairs of neighbours in the chain that
 * come to lie on different hosts of the table, since each of them adds to the latency.
 */
export class SubsetTable {
  readonly scratchHosts: Int32Array;
  readonly scratchCosts: Float64Array;
  readonly #length: number;
  /** Entries for each set. */
  readonly #stride: number;
  /** Offers in a list for each host: the first, and the next of each. */
  readonly #first: Int32Array;
  #next: Int32Array<ArrayBuffer>;
  #masks: Int32Array<ArrayBuffer>;
  #prices: Float64Array<ArrayBuffer>;
  #offers = 0;
  /** By set and cuts. */
  #cost: Float64Array<ArrayBuffer>;
  #node: Int32Array<ArrayBuffer>;
  /** What was put where, with the node of what had been put before. */
  #nodeMask = new Int32Array(1024);
  #nodeHost = new Int32Array(1024);
  #nodeBefore = new Int32Array(1024);
  #nodes = 0;

  constructor(length: number, hosts: number, withCuts: boolean) {
    this.#length = length;
    this.#stride = withCuts ? length : 1;
    this.scratchHosts = new Int32Array(length);
    this.scratchCosts = new Float64Array(length);
    this.#first = new Int32Array(hosts).fill(-1);
    this.#next = new Int32Array(1024);
    this.#masks = new Int32Array(1024);
    this.#prices = new Float64Array(1024);
    this.#cost = new Float64Array((1 << length) * this.#stride).fill(Number.POSITIVE_INFINITY);
    this.#node = new Int32Array(this.#cost.length).fill(-1);
    this.#cost[0] = 0;
  }

  /** The block may go to the host at this cost. */
  offer(mask: number, host: number, cost: number): void {
    if (this.#offers === this.#next.length) {
      this.#next = grown(this.#next);
      this.#masks = grown(this.#masks);
      const prices = new Float64Array(this.#prices.length * 2);
      prices.set(this.#prices);
      this.#prices = prices;
    }
    this.#masks[this.#offers] = mask;
    this.#prices[this.#offers] = cost;
    this.#next[this.#offers] = this.#first[host]!;
    this.#first[host] = this.#offers;
    this.#offers += 1;
  }

  solve(): void {
    let [cost, node] = [this.#cost, this.#node];
    let [nextCost, nextNode] = [new Float64Array(cost.length), new Int32Array(node.length)];
    for (let host = 0; host < this.#first.length; host += 1) {
      if (this.#first[host]! < 0) continue;
      nextCost.set(cost);
      nextNode.set(node);
      this.#put(host, cost, node, nextCost, nextNode);
      [cost, nextCost] = [nextCost, cost];
      [node, nextNode] = [nextNode, node];
    }
    this.#cost = cost;
    this.#node = node;
  }

  /** Each block that may go to the host, on top of each set without its functions. */
  #put(host: number, cost: Float64Array, node: Int32Array, nextCost: Float64Array, nextNode: Int32Array): void {
    const full = (1 << this.#length) - 1;
    const stride = this.#stride;
    for (let offer = this.#first[host]!; offer >= 0; offer = this.#next[offer]!) {
      const mask = this.#masks[offer]!;
      const price = this.#prices[offer]!;
      const rest = full ^ mask;
      for (let set = rest; ; set = (set - 1) & rest) {
        const added = stride === 1 ? 0 : countBits((mask << 1) & set) + countBits((mask >> 1) & set);
        for (let cuts = 0; cuts + added < stride; cuts += 1) {
          const from = set * stride + cuts;
          const sum = cost[from]! + price;
          const to = (set | mask) * stride + cuts + added;
          if (sum < nextCost[to]!) {
            nextCost[to] = sum;
            nextNode[to] = this.#remember(mask, host, node[from]!);
          }
        }
        if (set === 0) break;
      }
    }
  }

  /** Of a set of functions, with any number of cuts; infinite where it does not fit. */
  cost(set: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (let cuts = 0; cuts < this.#stride; cuts += 1) least = Math.min(least, this.costWith(set, cuts));
    return least;
  }

  costWith(set: number, cuts: number): number {
    return this.#cost[set * this.#stride + cuts]!;
  }

  get mostCuts(): number {
    return this.#stride - 1;
  }

  blocks(set: number, cuts = 0): readonly Block[] {
    const blocks: Block[] = [];
    for (let node = this.#node[set * this.#stride + cuts]!; node >= 0; node = this.#nodeBefore[node]!) {
      blocks.push({ host: this.#nodeHost[node]!, functions: functionsOf(this.#nodeMask[node]!) });
    }
    return blocks.toSorted((a, b) => a.functions[0]! - b.functions[0]!);
  }

  #remember(mask: number, host: number, before: number): number {
    if (this.#nodes === this.#nodeMask.length) {
      this.#nodeMask = grown(this.#nodeMask);
      this.#nodeHost = grown(this.#nodeHost);
      this.#nodeBefore = grown(this.#nodeBefore);
    }
    this.#nodeMask[this.#nodes] = mask;
    this.#nodeHost[this.#nodes] = host;
    this.#nodeBefore[this.#nodes] = before;
    this.#nodes += 1;
    return this.#nodes - 1;
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
