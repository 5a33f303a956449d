// Regions of a label map as polygons, by the conventions of segment/shapes: corners of pixels,
// closed rings from their highest, then leftmost point, outer ones clockwise on the screen.

// [{label, area, polygons: [[outer, hole, ...], ...]}, ...] by rising label; label 0 is no region.
export function trace(labels, width, height) {
  const { parts, owner, area } = components(labels, width, height);
  const rings = owner.map(() => []);
  const seen = new Uint8Array(labels.length); // whether the upper side of a pixel is in a ring
  const part = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? -1 : parts[y * width + x]);
  const label = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? -1 : labels[y * width + x]);
  const node = (x, y) => {
    const a = label(x - 1, y - 1), b = label(x, y - 1), c = label(x, y), d = label(x - 1, y);
    return (a !== b) + (b !== c) + (c !== d) + (d !== a) > 2;
  };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!labels[i] || seen[i] || (y && parts[i - width] === parts[i])) continue;
      rings[parts[i]].push(follow(x, y, part, node, seen, width));
    }
  }
  const regions = new Map();
  rings.forEach((own, k) => {
    if (!own.length) return;
    if (!regions.has(owner[k])) regions.set(owner[k], { label: owner[k], area: 0, polygons: [] });
    const region = regions.get(owner[k]);
    region.area += area[k];
    region.polygons.push(own); // the outer ring is met first
  });
  return [...regions.values()].sort((a, b) => a.label - b.label);
}

// Walks with the component on the right, beginning eastward along the top of pixel (x, y).
function follow(x, y, part, node, seen, width) {
  const own = part(x, y);
  const points = [];
  let dx = 1, dy = 0, px = x, py = y;
  do {
    if (dx === 1) seen[py * width + px] = 1;
    px += dx;
    py += dy;
    // The pixels ahead, left and right of the way.
    const lx = px + (dx + dy - 1) / 2, ly = py + (dy - dx - 1) / 2;
    const rx = px + (dx - dy - 1) / 2, ry = py + (dy + dx - 1) / 2;
    const turned = part(lx, ly) === own ? [dy, -dx] : part(rx, ry) === own ? null : [-dy, dx];
    if (turned || node(px, py)) points.push([px, py]);
    if (turned) [dx, dy] = turned;
  } while (px !== x || py !== y || dx !== 1);
  let first = 0;
  points.forEach(([qx, qy], k) => {
    const [bx, by] = points[first];
    if (qy < by || (qy === by && qx < bx)) first = k;
  });
  return [...points.slice(first), ...points.slice(0, first), points[first]];
}

// Parts of 4-connected pixels of one label: part of each pixel, label and area of each part.
function components(labels, width, height) {
  const parts = new Int32Array(labels.length);
  const parent = [];
  const find = (k) => {
    while (parent[k] !== k) k = parent[k] = parent[parent[k]];
    return k;
  };
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const left = x && labels[i - 1] === labels[i] ? find(parts[i - 1]) : -1;
      const above = y && labels[i - width] === labels[i] ? find(parts[i - width]) : -1;
      if (left < 0 && above < 0) parts[i] = parent.push(parent.length) - 1;
      else if (left < 0 || above < 0) parts[i] = Math.max(left, above);
      else parent[Math.max(left, above)] = parts[i] = Math.min(left, above);
    }
  }
  const number = new Map(), owner = [], area = [];
  for (let i = 0; i < labels.length; i++) {
    const root = find(parts[i]);
    let k = number.get(root);
    if (k === undefined) {
      number.set(root, (k = owner.push(labels[i]) - 1));
      area.push(0);
    }
    parts[i] = k;
    area[k]++;
  }
  return { parts, owner, area };
}
