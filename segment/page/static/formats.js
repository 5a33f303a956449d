// What is shown as files. Each function takes a `Result` and returns a Blob or a text.

import { fromHex, rint, toHex } from "./color.js";
import { png, zip } from "./files.js";
import { trace } from "./trace.js";

const MOST_LABELS = 65535; // of a PNG

// The regions as they are shown: a label map and facts that several formats share.
export class Result {
  constructor(app) {
    this.app = app;
    const { model, renderer } = app;
    const { leaf, width, height, name } = model.data;
    Object.assign(this, { model, renderer, width, height, name, n: model.nRegions });
    this.labels = new Int32Array(leaf.length);
    for (let i = 0; i < leaf.length; i++) this.labels[i] = leaf[i] ? model.region[leaf[i] - 1] + 1 : 0;
  }

  get polygons() {
    return (this.traced ??= trace(this.labels, this.width, this.height));
  }

  category(label) {
    return this.app.nameOf(label - 1) || "region";
  }

  color(label) {
    return this.renderer.flat(label - 1);
  }
}

function labels({ labels, width, height, n }) {
  if (n > MOST_LABELS) throw new Error(`A PNG holds ${MOST_LABELS.toLocaleString("en")} labels, and these are more; go coarser.`);
  const rows = new Uint8Array(2 * labels.length);
  labels.forEach((label, i) => {
    rows[2 * i] = label >> 8;
    rows[2 * i + 1] = label & 255;
  });
  return png(rows, width, height, { depth: 16 });
}

function flat(result) {
  const { labels, width, height, n } = result;
  const rows = new Uint8Array(3 * labels.length);
  const colors = Array.from({ length: n + 1 }, (_, label) => (label && result.model.regionAreas[label - 1] ? result.color(label) : 0));
  labels.forEach((label, i) => {
    for (let k = 0; k < 3; k++) rows[3 * i + k] = (colors[label] >>> (8 * k)) & 255;
  });
  return png(rows, width, height, { channels: 3 });
}

// White where the pixel right or below is another's, black elsewhere.
function boundaries({ labels, width, height }) {
  const rows = new Uint8Array(labels.length);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const beside = x < width - 1 && labels[i] !== labels[i + 1];
      if (beside || (y < height - 1 && labels[i] !== labels[i + width])) rows[i] = 255;
    }
  }
  return png(rows, width, height);
}

function geojson(result) {
  const features = result.polygons.map(({ label, area, polygons }) => {
    const color = toHex(result.color(label));
    const value = fromHex(color);
    return JSON.stringify({
      type: "Feature",
      id: label,
      properties: {
        label, area, color, objectType: "annotation",
        classification: { name: result.category(label), color: [value & 255, (value >> 8) & 255, (value >> 16) & 255] },
      },
      geometry: polygons.length === 1
        ? { type: "Polygon", coordinates: polygons[0] }
        : { type: "MultiPolygon", coordinates: polygons },
    });
  });
  return `{"type":"FeatureCollection","features":[\n${features.join(",\n")}\n]}\n`;
}

// Masks as run lengths, which lose nothing and keep holes.
function coco(result) {
  const { width, height, model } = result;
  const names = model.marked ? model.state.classes.map(({ name }) => name) : ["region"];
  const runs = runLengths(result);
  return JSON.stringify({
    info: { description: "regions by segment" },
    images: [{ id: 1, file_name: result.name, width, height }],
    categories: names.map((name, k) => ({ id: k + 1, name })),
    annotations: result.polygons.map(({ label, area, polygons }) => ({
      id: label,
      image_id: 1,
      category_id: model.marked ? model.classOfRegion(label - 1) || 1 : 1,
      segmentation: { size: [height, width], counts: compressed(runs.get(label)) },
      area,
      bbox: box(polygons),
      iscrowd: 0,
    })),
  });
}

function box(polygons) {
  let left = Infinity, top = Infinity, right = 0, bottom = 0;
  for (const [outer] of polygons) {
    for (const [x, y] of outer) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return [left, top, right - left, bottom - top];
}

// Lengths of runs of pixels outside and inside each region, in turns, column after column.
function runLengths({ labels, width, height, n }) {
  const runs = new Map();
  const ends = new Int32Array(n + 1);
  let begin = 0;
  const at = (k) => labels[(k % height) * width + Math.floor(k / height)];
  for (let k = 1; k <= labels.length; k++) {
    const label = at(k - 1);
    if (k < labels.length && at(k) === label) continue;
    if (label) {
      if (!runs.has(label)) runs.set(label, []);
      runs.get(label).push(begin - ends[label], k - begin);
      ends[label] = k;
    }
    begin = k;
  }
  for (const [label, own] of runs) if (ends[label] < labels.length) own.push(labels.length - ends[label]);
  return runs;
}

// Run lengths as COCO writes them: differences to the run before the last, six bits a character.
function compressed(counts) {
  let text = "";
  counts.forEach((count, k) => {
    let rest = k > 2 ? count - counts[k - 2] : count;
    let more = true;
    while (more) {
      let bits = rest & 31;
      rest >>= 5;
      more = bits & 16 ? rest !== -1 : rest !== 0;
      if (more) bits |= 32;
      text += String.fromCharCode(bits + 48);
    }
  });
  return text;
}

// One polygon a part; holes cannot be said in this format.
function labelme(result) {
  const shapes = result.polygons.flatMap(({ label, polygons }) =>
    polygons.map(([outer]) => ({
      label: result.category(label), points: outer.slice(0, -1), group_id: label, description: "",
      shape_type: "polygon", flags: {},
    })),
  );
  const { name, width, height } = result;
  return JSON.stringify({
    version: "5.5.0", flags: {}, shapes, imagePath: name, imageData: null, imageHeight: height, imageWidth: width,
  });
}

// Larger regions first, each with a thin line of its own colour, so that no seams show.
function svg(result) {
  const { width, height } = result;
  const escaped = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
  const path = (ring) => `M${ring.slice(0, -1).map((point) => point.join(" ")).join("L")}Z`;
  const paths = [...result.polygons]
    .sort((a, b) => b.area - a.area)
    .map(({ label, polygons }) => {
      const color = toHex(result.color(label));
      const name = escaped(result.category(label));
      return `<path id="region-${label}" data-name="${name}" fill="${color}" stroke="${color}" d="${polygons.flat().map(path).join("")}"/>`;
    });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" fill-rule="evenodd" stroke-width="0.5" stroke-linejoin="round">\n${paths.join("\n")}\n</svg>\n`;
}

// The columns of `Segmentation.regions()`, and the class where there are marks.
function csv(result) {
  const { model, labels, width, height, n } = result;
  const { n_bands: bands, means, stds } = model.data;
  const shape = shapes(labels, width, height, n);
  const squares = new Float64Array(n * bands);
  for (let leaf = 0; leaf < model.tree.nLeaves; leaf++) {
    const to = model.region[leaf];
    if (to < 0) continue;
    for (let k = 0; k < bands; k++) {
      const from = means[leaf * bands + k] - model.mean(to, k);
      squares[to * bands + k] += model.tree.areas[leaf] * (stds[leaf * bands + k] ** 2 + from * from);
    }
  }
  const each = (name) => Array.from({ length: bands }, (_, k) => `${name}-${k}`);
  const columns = ["label", "area", "centroid-0", "centroid-1", "bbox-0", "bbox-1", "bbox-2", "bbox-3", ...each("mean"), ...each("std"), "perimeter"];
  if (model.marked) columns.push("class");
  const rows = [columns.join(",")];
  for (let region = 0; region < n; region++) {
    const area = model.regionAreas[region];
    if (!area) continue;
    const row = [region + 1, area, short(shape.rows[region] / area), short(shape.columns[region] / area), ...shape.box.subarray(4 * region, 4 * region + 4)];
    for (let k = 0; k < bands; k++) row.push(short(model.mean(region, k)));
    for (let k = 0; k < bands; k++) row.push(short(Math.sqrt(squares[region * bands + k] / area)));
    row.push(short(shape.perimeter[region]));
    if (model.marked) row.push(quoted(result.category(region + 1)));
    rows.push(row.join(","));
  }
  return `${rows.join("\n")}\n`;
}

const short = (value) => String(Number(value.toPrecision(9)));

// A cell that no spreadsheet takes for a formula.
function quoted(text) {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// Sums of rows and columns, bounding boxes, and perimeters as in Benkrid and Crookes, 2000.
function shapes(labels, width, height, n) {
  const rows = new Float64Array(n), columns = new Float64Array(n), perimeter = new Float64Array(n);
  const box = new Int32Array(4 * n);
  for (let k = 0; k < n; k++) box.set([height, width, 0, 0], 4 * k);
  const border = new Uint8Array(labels.length); // pixels that touch another region by a side
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const own = labels[i];
      if (!own) continue;
      const k = own - 1, from = 4 * k;
      rows[k] += y;
      columns[k] += x;
      box[from] = Math.min(box[from], y);
      box[from + 1] = Math.min(box[from + 1], x);
      box[from + 2] = Math.max(box[from + 2], y + 1);
      box[from + 3] = Math.max(box[from + 3], x + 1);
      const inside = x && y && x < width - 1 && y < height - 1 && labels[i - 1] === own && labels[i + 1] === own && labels[i - width] === own && labels[i + width] === own;
      border[i] = inside ? 0 : 1;
    }
  }
  const like = (x, y, own) => x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === own && border[y * width + x];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const own = labels[i];
      if (!own || !border[i]) continue;
      const sides = like(x - 1, y, own) + like(x + 1, y, own) + like(x, y - 1, own) + like(x, y + 1, own);
      const corners = like(x - 1, y - 1, own) + like(x + 1, y - 1, own) + like(x - 1, y + 1, own) + like(x + 1, y + 1, own);
      perimeter[own - 1] += WEIGHTS[1 + 2 * sides + 10 * corners] ?? 0;
    }
  }
  return { rows, columns, box, perimeter };
}

const WEIGHTS = Object.assign(
  {},
  Object.fromEntries([5, 7, 15, 17, 25, 27].map((k) => [k, 1])),
  Object.fromEntries([21, 33].map((k) => [k, Math.SQRT2])),
  Object.fromEntries([13, 23].map((k) => [k, (1 + Math.SQRT2) / 2])),
);

// The selected regions, or all, cut out of the picture: a PNG, or a ZIP of several.
async function cutouts(result) {
  const { model, labels, width, app } = result;
  const chosen = model.selection.size ? model.selected() : [...model.heads.keys()].filter((k) => model.regionAreas[k]);
  const canvas = new OffscreenCanvas(width, result.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(app.elements.picture, 0, 0, width, result.height);
  const { box } = shapes(labels, width, result.height, result.n);
  const files = [];
  for (const region of chosen.sort((a, b) => a - b)) {
    const [top, left, bottom, right] = box.subarray(4 * region, 4 * region + 4);
    const image = context.getImageData(left, top, right - left, bottom - top);
    for (let y = top, i = 3; y < bottom; y++) {
      for (let x = left; x < right; x++, i += 4) if (labels[y * width + x] !== region + 1) image.data[i] = 0;
    }
    files.push([`${region + 1}.png`, await png(image.data, right - left, bottom - top, { channels: 4 })]);
  }
  if (files.length === 1) return files[0][1];
  return zip(await Promise.all(files.map(async ([name, blob]) => [name, new Uint8Array(await blob.arrayBuffer())])));
}

function project(result) {
  return `${JSON.stringify(result.model.project())}\n`;
}

export const MAKERS = { labels, flat, boundaries, csv, geojson, coco, labelme, svg, cutouts, project };
