// What is shown and can be changed: a partition of the leaves, marks and classes; undo and redo.

import { classify } from "./marks.js";
import { Tree } from "./tree.js";

// Colours of classes: far apart in hue and alike in weight, on dark and light ground.
export const CLASS_COLORS = [
  "#e4572e", "#2a9df4", "#f2b705", "#8f5bd6", "#2fb67c", "#ef6fa8", "#14b8b8", "#b07a3c",
];

export class Model extends EventTarget {
  constructor(data) {
    super();
    this.data = data;
    this.tree = new Tree(data);
    this.history = [];
    this.future = [];
    this.selection = new Set(); // first leaves of regions
    const level = data.level ?? 0.45;
    const merges = data.n_regions ? this.tree.mergesFor(data.n_regions) : this.tree.mergesAt(level);
    this.state = {
      partition: this.tree.cut(merges),
      level: data.n_regions ? this.levelAfter(merges) : level,
      strokes: [],
      classes: [
        { name: "background", color: CLASS_COLORS[1] },
        { name: "object", color: CLASS_COLORS[0] },
      ],
      result: "regions",
    };
    this.#refresh(null);
    this.initial = this.state;
  }

  // --- what is shown -------------------------------------------------------------------------

  // Computes from the state: class of each leaf, region of each leaf (from 0) and facts of regions.
  #refresh(before) {
    const { tree, data, state } = this;
    if (before?.strokes !== state.strokes) {
      this.classOf = classify(tree, data.leaf, data.width, data.height, state.strokes);
    }
    this.marked = state.strokes.some((stroke) => stroke.class);
    const byClass = state.result === "classes" && this.marked;
    const n = tree.nLeaves;
    const region = new Int32Array(n);
    const heads = [];
    if (byClass) {
      for (let k = 0; k < state.classes.length; k++) heads.push(-1);
      for (let leaf = 0; leaf < n; leaf++) {
        const own = this.classOf[leaf] - 1;
        region[leaf] = own;
        if (own >= 0 && heads[own] < 0) heads[own] = leaf;
      }
    } else {
      const found = new Map(); // region of the partition and class -> number
      const parts = state.classes.length + 1;
      for (let leaf = 0; leaf < n; leaf++) {
        const key = state.partition[leaf] * parts + this.classOf[leaf];
        let number = found.get(key);
        if (number === undefined) {
          found.set(key, (number = heads.length));
          heads.push(leaf);
        }
        region[leaf] = number;
      }
    }
    Object.assign(this, { byClass, region, heads, nRegions: heads.length });
    this.nShown = byClass ? heads.filter((leaf) => leaf >= 0).length : heads.length;
    this.#measure();
    for (const leaf of this.selection) if (heads[region[leaf]] !== leaf) this.selection.delete(leaf);
  }

  #measure() {
    const { tree, data, region, nRegions } = this;
    const bands = data.n_bands;
    this.regionAreas = new Float64Array(nRegions);
    this.regionSums = new Float64Array(nRegions * bands);
    for (let leaf = 0; leaf < tree.nLeaves; leaf++) {
      const to = region[leaf];
      if (to < 0) continue;
      this.regionAreas[to] += tree.areas[leaf];
      for (let k = 0; k < bands; k++) {
        this.regionSums[to * bands + k] += data.means[leaf * bands + k] * tree.areas[leaf];
      }
    }
  }

  mean(region, band) {
    return this.regionSums[region * this.data.n_bands + band] / this.regionAreas[region];
  }

  leavesOf(region) {
    const leaves = [];
    for (let leaf = 0; leaf < this.region.length; leaf++) if (this.region[leaf] === region) leaves.push(leaf);
    return leaves;
  }

  regionAt(x, y) {
    const { width, height, leaf } = this.data;
    if (!(x >= 0 && y >= 0 && x < width && y < height)) return -1;
    const own = leaf[Math.floor(y) * width + Math.floor(x)];
    return own ? this.region[own - 1] : -1;
  }

  classOfRegion(region) {
    return this.byClass ? region + 1 : this.classOf[this.heads[region]];
  }

  // Levels at which a region appears and goes; `whole` unless it was made by hand or by marks.
  life(region) {
    const leaves = this.leavesOf(region);
    const node = this.tree.meeting(leaves);
    if (node < 0) return { whole: false, from: NaN, to: NaN };
    const { parents, levels } = this.tree;
    const whole = this.tree.last[node] - this.tree.first[node] === leaves.length;
    return { whole, from: levels[node], to: parents[node] < 0 ? 1 : levels[parents[node]] };
  }

  levelAfter(merges) {
    return merges ? this.tree.levels[this.tree.nLeaves + merges - 1] : 0;
  }

  // --- changes -------------------------------------------------------------------------------

  // Puts changes into the state. A `key` joins changes of one gesture, such as a slider's drag.
  change(changes, key = null) {
    const before = this.state;
    const after = { ...before, ...changes };
    const last = this.history.at(-1);
    if (key !== null && last?.key === key && !this.future.length) {
      const origin = patched(before, last, "before");
      this.history[this.history.length - 1] = step(origin, after, key);
    } else this.history.push(step(before, after, key));
    this.future = [];
    this.#show(before, after);
  }

  // Ends a gesture: the next change is a step of its own.
  settle() {
    if (this.history.length) this.history.at(-1).key = null;
  }

  undo() {
    const last = this.history.pop();
    if (!last) return false;
    last.key = null;
    this.future.push(last);
    this.#show(this.state, patched(this.state, last, "before"));
    return true;
  }

  redo() {
    const next = this.future.pop();
    if (!next) return false;
    this.history.push(next);
    this.#show(this.state, patched(this.state, next, "after"));
    return true;
  }

  #show(before, after) {
    this.state = after;
    this.#refresh(before);
    this.dispatchEvent(new Event("change"));
  }

  select(regions, add = false) {
    if (!add) this.selection.clear();
    for (const region of regions) {
      const head = this.heads[region];
      if (add && this.selection.has(head)) this.selection.delete(head);
      else this.selection.add(head);
    }
    this.dispatchEvent(new Event("select"));
  }

  selected() {
    return [...this.selection].map((leaf) => this.region[leaf]);
  }

  setLevel(level, key = null) {
    this.change({ partition: this.tree.cut(this.tree.mergesAt(level)), level }, key);
  }

  setCount(count) {
    const merges = this.tree.mergesFor(count);
    this.change({ partition: this.tree.cut(merges), level: this.levelAfter(merges) });
  }

  // Splits each selected region in two; returns how many could be split.
  split() {
    if (this.byClass) return 0;
    const partition = this.state.partition.slice();
    const halves = this.selected().map((region) => this.tree.halves(this.leavesOf(region)));
    const done = halves.filter(Boolean);
    if (!done.length) return 0;
    for (const pair of done) for (const part of pair) for (const leaf of part) partition[leaf] = part[0];
    this.selection = new Set(halves.flatMap((pair, k) => (pair ? pair.map((part) => part[0]) : [[...this.selection][k]])));
    this.change({ partition: normal(partition), level: null });
    return done.length;
  }

  // Merges the selected regions; a single one with its sibling in the tree.
  merge() {
    if (this.byClass || !this.selection.size) return false;
    let regions = new Set(this.selected());
    if (regions.size === 1) regions = this.withSibling([...regions][0]);
    if (regions.size < 2) return false;
    const partition = this.state.partition.slice();
    let head = -1;
    for (let leaf = 0; leaf < partition.length; leaf++) {
      if (!regions.has(this.region[leaf])) continue;
      if (head < 0) head = leaf;
      partition[leaf] = head;
    }
    this.selection = new Set([head]);
    this.change({ partition: normal(partition), level: null });
    return true;
  }

  // A region and those that the tree would first merge it with.
  withSibling(region) {
    const leaves = this.leavesOf(region);
    let node = this.tree.meeting(leaves);
    const own = new Set(leaves);
    while (node >= 0 && this.tree.leavesBelow(node).every((leaf) => own.has(leaf))) node = this.tree.parents[node];
    const regions = new Set([region]);
    if (node >= 0) for (const leaf of this.tree.leavesBelow(node)) regions.add(this.region[leaf]);
    return regions;
  }

  addStroke(stroke) {
    const strokes = [...this.state.strokes, stroke];
    const result = this.marked || !stroke.class ? this.state.result : "classes";
    this.change({ strokes, result });
  }

  addClass(name) {
    const k = this.state.classes.length;
    this.change({ classes: [...this.state.classes, { name, color: CLASS_COLORS[k % CLASS_COLORS.length] }] });
  }

  setClass(k, changes, key = null) {
    this.change({ classes: this.state.classes.map((own, i) => (i === k ? { ...own, ...changes } : own)) }, key);
  }

  removeClass(k) {
    const renumbered = (mark) => (mark > k + 1 ? mark - 1 : mark);
    const strokes = this.state.strokes
      .filter((stroke) => stroke.class !== k + 1)
      .map((stroke) => ({ ...stroke, class: renumbered(stroke.class) }));
    this.change({ classes: this.state.classes.filter((_, i) => i !== k), strokes });
  }

  clearMarks() {
    this.change({ strokes: [] });
  }

  // --- the project ---------------------------------------------------------------------------

  project() {
    const { data, tree, state } = this;
    const groups = new Map();
    state.partition.forEach((head, leaf) => {
      if (!groups.has(head)) groups.set(head, []);
      groups.get(head).push(leaf);
    });
    return {
      format: "segment project 1",
      image: { name: data.name, width: data.width, height: data.height },
      tree: { n_leaves: tree.nLeaves, check: data.check },
      result: this.byClass ? "classes" : "regions",
      level: state.level,
      nodes: [...groups.values()].map((leaves) => tree.cover(leaves)),
      classes: state.classes,
      strokes: state.strokes,
    };
  }

  // Takes over a project of the same tree; throws where it is of another.
  load(project) {
    const { tree, data } = this;
    if (project?.format !== "segment project 1") throw new Error("This is no project of this page.");
    if (project.tree.check !== data.check || project.tree.n_leaves !== tree.nLeaves) {
      throw new Error(`This project is of another picture or run: ${project.image?.name}.`);
    }
    const partition = new Int32Array(tree.nLeaves).fill(-1);
    for (const nodes of project.nodes) {
      const leaves = nodes.flatMap((node) => [...tree.leavesBelow(node)]);
      const head = Math.min(...leaves);
      for (const leaf of leaves) partition[leaf] = head;
    }
    if (partition.includes(-1)) throw new Error("The regions of this project do not cover the picture.");
    const { result, level, classes, strokes } = project;
    this.change({ partition, result, level, classes, strokes });
  }
}

// The same partition with each region named by its first leaf.
function normal(partition) {
  const head = new Map();
  return partition.map((name, leaf) => {
    if (!head.has(name)) head.set(name, leaf);
    return head.get(name);
  });
}

// What differs between two states; the partition as a list of leaves, so that history is small.
function step(before, after, key) {
  const leaves = [];
  if (before.partition !== after.partition) {
    before.partition.forEach((head, leaf) => {
      if (head !== after.partition[leaf]) leaves.push(leaf);
    });
  }
  const rest = ({ partition, ...others }) => others;
  const heads = (state) => Int32Array.from(leaves, (leaf) => state.partition[leaf]);
  return {
    key,
    leaves: Int32Array.from(leaves),
    before: { heads: heads(before), ...rest(before) },
    after: { heads: heads(after), ...rest(after) },
  };
}

function patched(state, { leaves, ...sides }, side) {
  const { heads, ...rest } = sides[side];
  let { partition } = state;
  if (leaves.length) {
    partition = partition.slice();
    leaves.forEach((leaf, i) => (partition[leaf] = heads[i]));
  }
  return { ...rest, partition };
}
