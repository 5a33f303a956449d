// Brush strokes become marks on leaves, and those spread over the tree: as segment/page/project.py
// and `Hierarchy.cut(markers=)` do, to the last pixel.

// Calls paint(first, last, row) for each run of pixels that a stroke covers: those whose centres
// lie no farther than the radius from the line. Points are [x, y], in pixels.
export function coverStroke({ points, radius }, width, height, paint) {
  const reach = radius * radius;
  for (let k = 0; k < points.length; k++) {
    const [ax, ay] = points[k];
    const [bx, by] = points[Math.min(k + 1, points.length - 1)];
    if (k && k === points.length - 1) break;
    const dx = bx - ax, dy = by - ay;
    const length2 = dx * dx + dy * dy;
    const top = Math.max(Math.floor(Math.min(ay, by) - radius), 0);
    const bottom = Math.min(Math.ceil(Math.max(ay, by) + radius), height - 1);
    const left = Math.max(Math.floor(Math.min(ax, bx) - radius), 0);
    const right = Math.min(Math.ceil(Math.max(ax, bx) + radius), width - 1);
    for (let y = top; y <= bottom; y++) {
      let from = -1, to = -1;
      for (let x = left; x <= right; x++) {
        const px = x - ax, py = y - ay;
        const t = length2 > 0 ? Math.min(Math.max((px * dx + py * dy) / length2, 0), 1) : 0;
        const ex = px - t * dx, ey = py - t * dy;
        if (ex * ex + ey * ey <= reach) {
          if (from < 0) from = x;
          to = x;
        } else if (from >= 0) break;
      }
      if (from >= 0) paint(from, to, y);
    }
  }
}

// Class of each leaf, from 1; 0 where it meets no mark. A later stroke hides earlier ones; those of
// class 0 rub out.
export function classify(tree, leaf, width, height, strokes) {
  const classes = new Int32Array(tree.nLeaves);
  if (!strokes.some((stroke) => stroke.class)) return classes;
  const marked = new Map(); // pixel -> class
  for (const stroke of strokes) {
    coverStroke(stroke, width, height, (from, to, y) => {
      for (let i = y * width + from; i <= y * width + to; i++) {
        if (leaf[i]) marked.set(i, stroke.class);
      }
    });
  }
  const votes = new Map(); // leaf -> class -> pixels
  for (const [pixel, mark] of marked) {
    if (!mark) continue;
    const own = votes.get(leaf[pixel] - 1) ?? new Map();
    votes.set(leaf[pixel] - 1, own.set(mark, (own.get(mark) ?? 0) + 1));
  }
  const marks = new Int32Array(tree.parents.length);
  for (const [node, own] of votes) {
    let best = 0;
    for (const [mark, count] of own) {
      if (count > best || (count === best && mark < marks[node])) {
        best = count;
        marks[node] = mark;
      }
    }
  }
  spread(tree, marks);
  classes.set(marks.subarray(0, tree.nLeaves));
  return classes;
}

function spread({ parents, areas }, marks) {
  const covers = new Float64Array(parents.length);
  for (let node = 0; node < parents.length; node++) {
    const above = parents[node];
    if (above >= 0 && marks[node] && areas[node] > covers[above]) {
      covers[above] = areas[node];
      marks[above] = marks[node];
    }
  }
  for (let node = parents.length - 1; node >= 0; node--) {
    if (!marks[node] && parents[node] >= 0) marks[node] = marks[parents[node]];
  }
}
