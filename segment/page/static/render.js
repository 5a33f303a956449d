// Draws a model at the resolution of the screen: what a frame costs does not depend on the picture.
// Which leaf each pixel of the screen shows, and where leaves meet, is kept until the view changes,
// so that a new cut is a look into tables.

import { distinct, fromHex, mixed, rgba, rint, withAlpha } from "./color.js";

export const VIEWS = ["picture", "flat", "outlines", "labels"];
const MOST_PIXELS = 4e6; // of the canvas; screens with more are drawn a little coarser
const LINE = rgba(255, 232, 64), CASING = rgba(0, 0, 0, 110);
const HOVER = rgba(255, 255, 255), ACCENT = rgba(64, 132, 255);

export class Renderer {
  constructor(model, { picture, overlay, ink }) {
    Object.assign(this, { model, picture, overlay, ink });
    this.context = overlay.getContext("2d");
    this.inkContext = ink.getContext("2d");
    this.view = { scale: 1, x: 0, y: 0 }; // screen = picture * scale + (x, y), in CSS pixels
    this.mode = "outlines";
    this.opacity = 1;
    this.divider = null; // share of the stage's width, left of which the picture is bare
    this.hovered = -1;
    this.stroke = null; // being drawn
    this.fills = new Uint32Array(model.tree.nLeaves + 1);
    this.regions = new Int32Array(model.tree.nLeaves + 1);
  }

  resize(width, height, ratio) {
    this.width = width;
    this.height = height;
    this.ratio = Math.min(ratio, Math.sqrt(MOST_PIXELS / Math.max(width * height, 1)));
    for (const canvas of [this.overlay, this.ink]) {
      canvas.width = Math.max(Math.round(width * this.ratio), 1);
      canvas.height = Math.max(Math.round(height * this.ratio), 1);
    }
    const n = this.overlay.width * this.overlay.height;
    this.image = this.context.createImageData(this.overlay.width, this.overlay.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.shown = new Int32Array(n); // leaf of each pixel of the screen, from 1; 0 for none
    this.meetings = new Int32Array(n); // pixels with another leaf on the right or below
    this.edges = new Int32Array(n);
    this.sampled = "";
  }

  draw() {
    if (!this.pixels) return;
    const { view, model } = this;
    this.picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.picture.classList.toggle("pixels", view.scale > 3);
    this.#colors();
    this.#sample();
    this.#paint();
    if (this.mode === "outlines" || model.selection.size || this.hovered >= 0) this.#outline();
    this.context.putImageData(this.image, 0, 0);
    this.drawInk();
  }

  // Fill colour and region of each leaf.
  #colors() {
    const { model, mode, opacity, fills, regions } = this;
    const own = new Uint32Array(model.nRegions);
    for (let region = 0; region < model.nRegions; region++) {
      let color = 0;
      const mark = model.marked ? model.classOfRegion(region) : 0;
      const tint = mark ? fromHex(model.state.classes[mark - 1].color) : 0;
      if (mode === "flat") color = withAlpha(this.flat(region), opacity);
      else if (mode === "labels") {
        color = withAlpha(model.byClass ? tint : distinct(Math.max(model.heads[region], 0)), opacity);
      } else if (mode === "outlines" && mark) color = withAlpha(tint, 0.36 * opacity);
      if (model.selection.has(model.heads[region])) color = mixed(color, ACCENT, 0.4);
      if (region === this.hovered) color = mixed(color, HOVER, 0.2);
      own[region] = color;
    }
    regions[0] = -1;
    for (let leaf = 0; leaf < model.region.length; leaf++) {
      const region = model.region[leaf];
      regions[leaf + 1] = region;
      fills[leaf + 1] = region < 0 ? 0 : own[region];
    }
  }

  // Mean colour of a region as the picture shows it.
  flat(region) {
    const { model } = this;
    const { display } = model.data;
    const value = (k) => {
      const mean = model.mean(region, display.bands[k]);
      return Math.min(Math.max(rint(((mean - display.low) * 255) / (display.high - display.low || 1)), 0), 255);
    };
    return rgba(value(0), value(1), value(2));
  }

  // Finds the leaf of each pixel of the screen, unless the view is as before.
  #sample() {
    const { shown, view, ratio, model } = this;
    const { width, height, leaf } = model.data;
    const columns = this.overlay.width, rows = this.overlay.height;
    const scale = view.scale * ratio, x0 = view.x * ratio, y0 = view.y * ratio;
    const bare = this.divider === null ? 0 : Math.round(this.divider * columns);
    const wanted = [scale, x0, y0, bare].join();
    if (wanted === this.sampled) return;
    this.sampled = wanted;
    this.nMeetings = 0;
    shown.fill(0);
    const left = Math.max(Math.ceil(x0 - 0.5), bare, 0), right = Math.min(Math.floor(x0 + width * scale - 0.5) + 1, columns);
    const top = Math.max(Math.ceil(y0 - 0.5), 0), bottom = Math.min(Math.floor(y0 + height * scale - 0.5) + 1, rows);
    if (left >= right || top >= bottom) return;
    const source = new Int32Array(right - left);
    for (let x = left; x < right; x++) source[x - left] = Math.min(Math.floor((x + 0.5 - x0) / scale), width - 1);
    let before = -1;
    for (let y = top; y < bottom; y++) {
      const row = Math.min(Math.floor((y + 0.5 - y0) / scale), height - 1) * width;
      const at = y * columns + left;
      if (row === before) shown.copyWithin(at, at - columns, at - columns + source.length);
      else for (let x = 0; x < source.length; x++) shown[at + x] = leaf[row + source[x]];
      before = row;
    }
    this.#meet(left, right, top, bottom);
  }

  #meet(left, right, top, bottom) {
    const { shown, meetings } = this;
    const columns = this.overlay.width;
    let count = 0;
    for (let y = top; y < bottom - 1; y++) {
      let at = y * columns + left;
      for (const end = y * columns + right - 1; at < end; at++) {
        const own = shown[at];
        if (own !== shown[at + 1] || own !== shown[at + columns]) meetings[count++] = at;
      }
    }
    this.nMeetings = count;
  }

  #paint() {
    const { pixels, shown, fills } = this;
    if (fills.every((fill) => fill === 0)) pixels.fill(0);
    else for (let at = 0; at < pixels.length; at++) pixels[at] = fills[shown[at]];
  }

  #outline() {
    const { pixels, shown, regions, meetings, edges, model } = this;
    const columns = this.overlay.width;
    let count = 0;
    for (let k = 0; k < this.nMeetings; k++) {
      const at = meetings[k];
      const own = regions[shown[at]];
      if (own !== regions[shown[at + 1]] || own !== regions[shown[at + columns]]) edges[count++] = at;
    }
    const special = new Uint8Array(model.nRegions + 1); // 1 hovered, 2 selected
    if (this.hovered >= 0) special[this.hovered + 1] = 1;
    for (const region of model.selected()) special[region + 1] = 2;
    const rankAt = (at) => special[regions[shown[at]] + 1];
    const thick = this.ratio > 1.4;
    if (this.mode === "outlines") {
      const line = withAlpha(LINE, this.opacity), casing = withAlpha(CASING, 0.42 * this.opacity);
      for (let k = 0; k < count; k++) {
        const at = edges[k];
        pixels[at + 1] = pixels[at + columns] = casing;
        if (thick) pixels[at + 2] = pixels[at + 2 * columns] = casing;
      }
      for (let k = 0; k < count; k++) {
        const at = edges[k];
        pixels[at] = line;
        if (thick) pixels[at + 1] = pixels[at + columns] = line;
      }
    }
    for (const [rank, color] of [[1, HOVER], [2, ACCENT]]) {
      for (let k = 0; k < count; k++) {
        const at = edges[k];
        const strongest = Math.max(rankAt(at), rankAt(at + 1), rankAt(at + columns));
        if (strongest !== rank) continue;
        pixels[at] = pixels[at + 1] = pixels[at + columns] = pixels[at + columns + 1] = color;
      }
    }
  }

  // Strokes, above everything.
  drawInk() {
    const { inkContext: context, ink, view, ratio, model } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, ink.width, ink.height);
    const strokes = this.stroke ? [...model.state.strokes, this.stroke] : model.state.strokes;
    const scale = view.scale * ratio;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of strokes) {
      context.globalCompositeOperation = stroke.class ? "source-over" : "destination-out";
      context.strokeStyle = model.state.classes[stroke.class - 1]?.color ?? "#000";
      context.lineWidth = Math.max(2 * stroke.radius * scale, 3 * ratio);
      context.beginPath();
      stroke.points.forEach(([x, y], k) => {
        const at = [(x + 0.5) * scale + view.x * ratio, (y + 0.5) * scale + view.y * ratio];
        if (k) context.lineTo(...at);
        else context.moveTo(...at);
      });
      if (stroke.points.length === 1) {
        const [[x, y]] = stroke.points;
        context.lineTo((x + 0.5) * scale + view.x * ratio + 0.01, (y + 0.5) * scale + view.y * ratio);
      }
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
  }

  // --- the view ------------------------------------------------------------------------------

  fit() {
    const { width, height } = this.model.data;
    const margin = Math.min(this.width, this.height) > 500 ? 24 : 8;
    const scale = Math.min((this.width - 2 * margin) / width, (this.height - 2 * margin) / height);
    this.view = { scale, x: (this.width - width * scale) / 2, y: (this.height - height * scale) / 2 };
    this.fitted = true;
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const { width, height } = this.model.data;
    const least = Math.min(this.width / width, this.height / height, 1) / 4;
    const scale = Math.min(Math.max(this.view.scale * factor, least), 64);
    const change = scale / this.view.scale;
    this.view = { scale, x: x - (x - this.view.x) * change, y: y - (y - this.view.y) * change };
    this.pan(0, 0);
  }

  pan(dx, dy) {
    const { width, height } = this.model.data;
    const { scale } = this.view;
    const kept = (value, size, room) => Math.min(Math.max(value, Math.min(60, room / 2) - size), room - Math.min(60, room / 2));
    this.view = {
      scale,
      x: kept(this.view.x + dx, width * scale, this.width),
      y: kept(this.view.y + dy, height * scale, this.height),
    };
    this.fitted = false;
  }

  toPicture(x, y) {
    const { scale, x: left, y: top } = this.view;
    return [(x - left) / scale, (y - top) / scale];
  }

  toScreen(x, y) {
    const { scale, x: left, y: top } = this.view;
    return [x * scale + left, y * scale + top];
  }
}
