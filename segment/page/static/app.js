// One page: a model, what draws it, and what the user can do. `actions` are all that keys, buttons
// and tests call.

import { VIEWS } from "./render.js";

const BIG = 0.05, SMALL = 0.005; // steps of the level by keys

export class App {
  constructor(model, renderer, elements) {
    Object.assign(this, { model, renderer, elements });
    this.tool = "select";
    this.current = 0; // class to mark
    this.radius = Math.max(Math.round(Math.min(model.data.width, model.data.height) / 100), 1);
    this.several = false;
    this.frame = 0;
    this.times = [];
    this.listeners = [];
    model.addEventListener("change", () => this.update());
    model.addEventListener("select", () => this.update());
  }

  // Draws in the next frame, once however often it is asked.
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const start = performance.now();
      this.renderer.draw();
      this.times.push(performance.now() - start);
      if (this.times.length > 200) this.times.shift();
    });
  }

  // Shows what the controls say, and draws.
  update() {
    for (const listener of this.listeners) listener(this);
    this.draw();
  }

  say(text) {
    const { toast } = this.elements;
    toast.textContent = text;
    toast.classList.add("shown");
    clearTimeout(this.silence);
    this.silence = setTimeout(() => toast.classList.remove("shown"), 2600);
  }

  // --- actions -------------------------------------------------------------------------------

  undo() {
    this.say(this.model.undo() ? "Undone" : "Nothing to undo");
  }

  redo() {
    this.say(this.model.redo() ? "Redone" : "Nothing to redo");
  }

  setLevel(level, key = null) {
    this.model.setLevel(Math.min(Math.max(level, 0), 1), key);
  }

  stepLevel(direction, small = false) {
    const level = this.model.state.level ?? 0.45;
    this.setLevel(level + direction * (small ? SMALL : BIG), "keys");
    this.say(this.countText());
  }

  setCount(count) {
    if (Number.isFinite(count) && count >= 1) this.model.setCount(Math.round(count));
    else this.update();
  }

  setView(view) {
    this.renderer.mode = view;
    this.update();
  }

  stepView(step) {
    const k = VIEWS.indexOf(this.renderer.mode) + step;
    this.setView(VIEWS[(k + VIEWS.length) % VIEWS.length]);
  }

  setOpacity(opacity) {
    this.renderer.opacity = Math.min(Math.max(opacity, 0), 1);
    this.update();
  }

  compare(share = this.renderer.divider === null ? 0.5 : null) {
    this.renderer.divider = share === null ? null : Math.min(Math.max(share, 0), 1);
    this.update();
  }

  setTool(tool) {
    this.tool = tool;
    this.update();
  }

  setClass(k) {
    if (k >= this.model.state.classes.length) return;
    this.current = k;
    if (this.tool === "select") this.tool = "brush";
    this.update();
  }

  setRadius(radius) {
    this.radius = Math.min(Math.max(radius, 0), 500);
    this.update();
  }

  click(x, y, add) {
    const region = this.model.regionAt(x, y);
    if (region < 0) this.clearSelection();
    else this.model.select([region], add || this.several);
  }

  clearSelection() {
    this.model.select([]);
  }

  selectAll() {
    this.model.selection.clear();
    this.model.select([...this.model.heads.keys()].filter((region) => this.model.heads[region] >= 0));
  }

  split() {
    if (this.model.byClass) return this.say("Classes are not split; show Regions first");
    if (!this.model.selection.size) return this.say("Select a region to split");
    if (!this.model.split()) this.say("That is the smallest region there is");
    else this.say(this.countText());
  }

  merge() {
    if (this.model.byClass) return this.say("Classes are not merged; show Regions first");
    if (!this.model.selection.size) return this.say("Select a region to merge");
    const before = this.model.nShown;
    if (!this.model.merge()) this.say("There is nothing to merge it with");
    else this.say(this.model.nShown < before ? this.countText() : "Marks of unlike classes keep them apart");
  }

  mark(points) {
    const rubbing = this.tool === "rubber";
    this.model.addStroke({ class: rubbing ? 0 : this.current + 1, radius: this.radius, points });
    if (!rubbing && this.renderer.mode === "picture") this.setView("outlines");
  }

  setResult(result) {
    this.model.change({ result });
  }

  addClass() {
    const { classes } = this.model.state;
    this.model.addClass(`class ${classes.length + 1}`);
    this.setClass(classes.length);
  }

  removeClass(k) {
    if (this.model.state.classes.length < 2) return this.say("One class must stay");
    this.model.removeClass(k);
    this.current = Math.min(this.current, this.model.state.classes.length - 1);
    this.update();
  }

  zoom(factor, x, y) {
    this.renderer.zoom(factor, x, y);
    this.update();
  }

  fit() {
    this.renderer.fit();
    this.update();
  }

  realSize() {
    this.renderer.zoom(1 / this.renderer.view.scale);
    this.update();
  }

  hover(x, y) {
    const region = x === null ? -1 : this.model.regionAt(x, y);
    if (region === this.renderer.hovered) return;
    this.renderer.hovered = region;
    this.update();
  }

  theme() {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const shown = root.dataset.theme ?? (dark ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    this.update();
  }

  // --- words ---------------------------------------------------------------------------------

  countText() {
    const { nShown, byClass } = this.model;
    const one = byClass ? "class" : "region";
    return `${nShown.toLocaleString("en")} ${nShown === 1 ? one : byClass ? "classes" : "regions"}`;
  }

  nameOf(region) {
    const { model } = this;
    const mark = model.marked ? model.classOfRegion(region) : 0;
    return mark ? model.state.classes[mark - 1].name : "";
  }

  factsOf(region) {
    const { model } = this;
    const { width, height } = model.data;
    const area = model.regionAreas[region];
    const facts = [`${area.toLocaleString("en")} px`, `${(100 * area / (width * height)).toPrecision(2)} %`];
    if (!model.byClass) {
      const { whole, from, to } = model.life(region);
      facts.push(whole ? `level ${from.toFixed(2)} to ${to.toFixed(2)}` : "made by hand");
    }
    return facts.join(" · ");
  }
}
