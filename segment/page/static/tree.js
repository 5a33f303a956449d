// The tree in which regions merge. Nodes 0..n-1 are the leaves; a parent comes after its children.

export class Tree {
  constructor({ parents, levels, leaf, n_leaves: nLeaves }) {
    this.parents = parents;
    this.levels = levels;
    this.nLeaves = nLeaves;
    this.nMerges = parents.length - nLeaves;
    this.areas = new Float64Array(parents.length);
    for (let i = 0; i < leaf.length; i++) if (leaf[i]) this.areas[leaf[i] - 1]++;
    for (let node = 0; node < parents.length; node++) {
      if (parents[node] >= 0) this.areas[parents[node]] += this.areas[node];
    }
    this.#order();
  }

  // Leaves in an order where those below any node are neighbours: order[first[node]..last[node]-1].
  #order() {
    const { parents, nLeaves } = this;
    const m = parents.length;
    const count = new Int32Array(m);
    for (let node = 0; node < m; node++) {
      if (node < nLeaves) count[node] = 1;
      if (parents[node] >= 0) count[parents[node]] += count[node];
    }
    this.first = new Int32Array(m);
    this.last = new Int32Array(m);
    this.children = new Int32Array(2 * m).fill(-1);
    const next = new Int32Array(m);
    let roots = 0;
    for (let node = m - 1; node >= 0; node--) {
      const above = parents[node];
      if (above < 0) {
        this.first[node] = roots;
        roots += count[node];
      } else {
        this.first[node] = next[above];
        next[above] += count[node];
        this.children[2 * above + (this.children[2 * above] < 0 ? 0 : 1)] = node;
      }
      next[node] = this.first[node];
      this.last[node] = this.first[node] + count[node];
    }
    this.order = new Int32Array(nLeaves);
    for (let leaf = 0; leaf < nLeaves; leaf++) this.order[this.first[leaf]] = leaf;
  }

  leavesBelow(node) {
    return this.order.subarray(this.first[node], this.last[node]);
  }

  // Merges that have a level of at most this: as `Hierarchy.cut(level=)`.
  mergesAt(level) {
    const wanted = Math.fround(level);
    let low = this.nLeaves, high = this.parents.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.levels[middle] <= wanted) low = middle + 1;
      else high = middle;
    }
    return low - this.nLeaves;
  }

  // Merges that leave so many regions, or as near as there is: as `Hierarchy.cut(n_regions=)`.
  mergesFor(nRegions) {
    return Math.min(this.nLeaves - Math.min(nRegions, this.nLeaves), this.nMerges);
  }

  // The partition after so many merges: for each leaf the first leaf of its region.
  cut(nMerges) {
    const { parents, nLeaves } = this;
    const alive = nLeaves + nMerges;
    const head = new Int32Array(alive).fill(-1);
    const top = new Int32Array(alive);
    for (let node = alive - 1; node >= 0; node--) {
      const above = parents[node];
      top[node] = above >= 0 && above < alive ? top[above] : node;
    }
    const partition = new Int32Array(nLeaves);
    for (let leaf = 0; leaf < nLeaves; leaf++) {
      if (head[top[leaf]] < 0) head[top[leaf]] = leaf;
      partition[leaf] = head[top[leaf]];
    }
    return partition;
  }

  // The lowest node above all of these leaves, -1 where parts of the picture hang apart.
  meeting(leaves) {
    let low = Infinity, high = -1;
    for (const leaf of leaves) {
      low = Math.min(low, this.first[leaf]);
      high = Math.max(high, this.first[leaf]);
    }
    let node = leaves[0];
    while (node >= 0 && !(this.first[node] <= low && high < this.last[node])) node = this.parents[node];
    return node;
  }

  // Leaves of one region, cut where the tree parts them last: two lists, or null for one leaf.
  halves(leaves) {
    if (leaves.length < 2) return null;
    const node = this.meeting(leaves);
    const side = node < 0 ? rootOf(this, leaves[0]) : this.children[2 * node];
    const inside = (leaf) => this.first[leaf] >= this.first[side] && this.first[leaf] < this.last[side];
    return [leaves.filter(inside), leaves.filter((leaf) => !inside(leaf))];
  }

  // The fewest nodes that together hold exactly these leaves.
  cover(leaves) {
    const inside = new Set(leaves);
    const nodes = [];
    while (inside.size) {
      let node = inside.values().next().value;
      const whole = (candidate) => this.leavesBelow(candidate).every((leaf) => inside.has(leaf));
      while (this.parents[node] >= 0 && whole(this.parents[node])) node = this.parents[node];
      nodes.push(node);
      for (const leaf of this.leavesBelow(node)) inside.delete(leaf);
    }
    return nodes.sort((a, b) => a - b);
  }
}

function rootOf(tree, node) {
  while (tree.parents[node] >= 0) node = tree.parents[node];
  return node;
}
