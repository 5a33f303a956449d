// Mouse, touch, pen and keys on the picture.

const CLICK = 4; // pixels that a finger or mouse may move within a click

export function listen(app) {
  const { stage, divider } = app.elements;
  const pointers = new Map();
  let gesture = null; // "pan", "click", "mark" or "pinch"
  let start = null;
  let spaced = false;
  let cross = null; // of the keyboard, on the screen

  const local = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const pixel = ([x, y]) => app.renderer.toPicture(x, y).map((value) => Math.round((value - 0.5) * 4) / 4);

  stage.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".bar, #divider")) return;
    hideCross();
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, local(event));
    start = local(event);
    if (pointers.size === 2) {
      app.renderer.stroke = null;
      gesture = "pinch";
    } else if (event.button === 1 || event.button === 2 || spaced) gesture = "pan";
    else if (event.button !== 0) gesture = null;
    else if (app.tool === "select") gesture = "click";
    else {
      gesture = "mark";
      app.renderer.stroke = { class: app.tool === "rubber" ? 0 : app.current + 1, radius: app.radius, points: [pixel(start)] };
      app.draw();
    }
  });

  stage.addEventListener("pointermove", (event) => {
    const at = local(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch" && !event.target.closest(".bar")) follow(at);
      return;
    }
    if (gesture === "pinch") pinch(event.pointerId, at);
    pointers.set(event.pointerId, at);
    if (gesture === "click" && Math.hypot(at[0] - start[0], at[1] - start[1]) > CLICK) {
      gesture = "pan";
      app.renderer.pan(at[0] - start[0], at[1] - start[1]);
      stage.classList.add("panning");
      app.update();
    } else if (gesture === "pan") {
      app.renderer.pan(at[0] - before[0], at[1] - before[1]);
      app.update();
    } else if (gesture === "mark") {
      const { stroke } = app.renderer;
      const next = pixel(at);
      const last = stroke.points.at(-1);
      if (next[0] !== last[0] || next[1] !== last[1]) stroke.points.push(next);
      place(at);
      app.draw();
    }
  });

  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    stage.classList.remove("panning");
    const done = gesture;
    if (pointers.size === 0) gesture = null;
    if (event.type === "pointercancel") {
      app.renderer.stroke = null;
      app.draw();
    } else if (done === "click") app.click(...app.renderer.toPicture(...start), event.shiftKey);
    else if (done === "mark" && app.renderer.stroke) {
      const { points } = app.renderer.stroke;
      app.renderer.stroke = null;
      app.mark(points);
    }
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", () => {
    if (cross === null) app.hover(null);
    app.elements.tip.hidden = true;
  });
  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (event.shiftKey) app.renderer.pan(-event.deltaY - event.deltaX, 0);
      else {
        const notch = event.deltaMode ? 16 : 1;
        app.renderer.zoom(Math.exp((-event.deltaY * notch) / (event.ctrlKey ? 100 : 400)), ...local(event));
      }
      app.update();
    },
    { passive: false },
  );

  function pinch(id, at) {
    const [other] = [...pointers].filter(([key]) => key !== id).map(([, place]) => place);
    const before = pointers.get(id);
    const spread = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
    const middle = [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2];
    app.renderer.zoom(spread(at) / spread(before), ...middle);
    app.renderer.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    app.update();
  }

  function follow(at) {
    place(at);
    app.hover(...app.renderer.toPicture(...at));
  }

  // The ring that shows what the brush covers.
  function place([x, y]) {
    const { tip } = app.elements;
    tip.hidden = app.tool === "select";
    const size = Math.max((2 * app.radius + 1) * app.renderer.view.scale, 4);
    tip.style.cssText = `left: ${x}px; top: ${y}px; width: ${size}px; height: ${size}px`;
  }

  // --- the divider -----------------------------------------------------------------------------

  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.stopPropagation();
  });
  divider.addEventListener("pointermove", (event) => {
    if (divider.hasPointerCapture(event.pointerId)) app.compare(local(event)[0] / stage.clientWidth);
  });
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (!step) return;
    app.compare(app.renderer.divider + step);
    event.preventDefault();
    event.stopPropagation();
  });

  // --- keys ------------------------------------------------------------------------------------

  function hideCross() {
    cross = null;
    app.elements.cross.hidden = true;
  }

  function moveCross(dx, dy) {
    cross ??= [stage.clientWidth / 2, stage.clientHeight / 2];
    cross = [
      Math.min(Math.max(cross[0] + dx, 0), stage.clientWidth - 1),
      Math.min(Math.max(cross[1] + dy, 0), stage.clientHeight - 1),
    ];
    app.elements.cross.hidden = false;
    app.elements.cross.style.cssText = `left: ${cross[0]}px; top: ${cross[1]}px`;
    app.hover(...app.renderer.toPicture(...cross));
  }

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  stage.addEventListener("keydown", (event) => {
    const arrow = arrows[event.key];
    if (arrow && !event.ctrlKey && !event.metaKey) {
      const step = event.shiftKey ? 1 : 16;
      if (event.altKey) {
        app.renderer.pan(-arrow[0] * 60, -arrow[1] * 60);
        app.update();
      } else moveCross(arrow[0] * step, arrow[1] * step);
    } else if (event.key === "Enter" || (event.key === " " && cross)) {
      cross ?? moveCross(0, 0);
      if (app.tool === "select") {
        app.click(...app.renderer.toPicture(...cross), event.shiftKey);
        const [region] = app.model.selected().slice(-1);
        if (region !== undefined) app.say(`${app.nameOf(region)} ${app.factsOf(region)}`.trim());
      } else app.mark([pixel(cross)]);
    } else if (event.key === " ") spaced = true;
    else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => {
    if (event.key === " ") spaced = false;
  });
  stage.addEventListener("blur", () => {
    spaced = false;
    hideCross();
    app.hover(null);
  });
}

// Keys that work wherever nothing is being typed: key, what it does, and words for the help sheet.
export const KEYS = [
  ["Scale", [
    ["[ ]", "finer, coarser", { "[": (app) => app.stepLevel(-1), "]": (app) => app.stepLevel(1) }],
    [", .", "a little finer, coarser", { ",": (app) => app.stepLevel(-1, true), ".": (app) => app.stepLevel(1, true) }],
    ["N", "type a number of regions", { n: (app) => app.elements.count.select() }],
  ]],
  ["View", [
    ["1 2 3 4", "picture, flat, outlines, labels", { 1: (app) => app.setView("picture"), 2: (app) => app.setView("flat"), 3: (app) => app.setView("outlines"), 4: (app) => app.setView("labels") }],
    ["X", "compare side by side", { x: (app) => app.compare() }],
    ["O P", "less, more opaque", { o: (app) => app.setOpacity(app.renderer.opacity - 0.1), p: (app) => app.setOpacity(app.renderer.opacity + 0.1) }],
    ["+ -", "zoom", { "+": (app) => app.zoom(1.25), "=": (app) => app.zoom(1.25), "-": (app) => app.zoom(0.8) }],
    ["0 F", "real size, fit", { 0: (app) => app.realSize(), f: (app) => app.fit() }],
    ["T", "light or dark", { t: (app) => app.theme() }],
  ]],
  ["Regions", [
    ["V", "select", { v: (app) => app.setTool("select") }],
    ["S", "split the selection", { s: (app) => app.split() }],
    ["M", "merge it: with its sibling, or with each other", { m: (app) => app.merge() }],
    ["A Esc", "select all, nothing", { a: (app) => app.selectAll(), Escape: (app) => app.clearSelection() }],
  ]],
  ["Marks", [
    ["B E", "mark, rub out", { b: (app) => app.setTool("brush"), e: (app) => app.setTool("rubber") }],
    ["C", "next class", { c: (app) => app.setClass((app.current + 1) % app.model.state.classes.length) }],
    ["{ }", "smaller, larger brush", { "{": (app) => app.setRadius(app.radius - 1), "}": (app) => app.setRadius(app.radius + 1) }],
    ["R", "result: classes or regions", { r: (app) => app.model.marked && app.setResult(app.model.byClass ? "regions" : "classes") }],
  ]],
  ["Everything", [
    ["Ctrl Z", "undo", {}],
    ["Ctrl Shift Z", "redo", {}],
    ["Ctrl S", "export", {}],
    ["?", "this sheet", { "?": (app) => app.elements.sheet.showModal() }],
  ]],
  ["On the picture", [
    ["← ↑ ↓ →", "move the cross (Shift: by a pixel, Alt: the picture)", {}],
    ["Enter", "select or mark there (Shift: add)", {}],
    ["Wheel", "zoom to the cursor (Shift: sideways)", {}],
    ["Drag", "move the picture; with Space or the middle button always", {}],
    ["Two fingers", "zoom and move", {}],
  ]],
];

export function listenToKeys(app) {
  const all = Object.assign({}, ...KEYS.flatMap(([, rows]) => rows.map(([, , keys]) => keys)));
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.matches?.("input:not([type=range], [type=radio]), select, textarea");
    if (event.ctrlKey || event.metaKey) {
      const key = event.key.toLowerCase();
      if (key === "s") app.elements.export.click();
      else if (typing) return;
      else if (key === "z" && !event.shiftKey) app.undo();
      else if (key === "y" || key === "z") app.redo();
      else return;
      event.preventDefault();
      return;
    }
    if (typing || event.altKey) return;
    const action = all[event.key] ?? all[event.key.toLowerCase()];
    if (!action) return;
    action(app);
    event.preventDefault();
  });
}
