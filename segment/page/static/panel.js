// The controls beside the picture.

import { toHex } from "./color.js";
import { KEYS } from "./input.js";

const percent = (share) => `${Math.round(100 * share)}%`;

export function connect(app) {
  const { elements: e, model } = app;
  const { data, tree } = model;
  e.name.textContent = e.name.title = data.name;
  e.facts.textContent = `${data.width.toLocaleString("en")} × ${data.height.toLocaleString("en")} · ${tree.nLeaves.toLocaleString("en")} smallest regions`;
  e.count.max = tree.nLeaves;

  on(e.undo, "click", () => app.undo());
  on(e.redo, "click", () => app.redo());
  on(e.theme, "click", () => app.theme());
  on(e.help, "click", () => e.sheet.showModal());
  on(e.level, "input", () => app.setLevel(Number(e.level.value), "drag"));
  on(e.level, "change", () => model.settle());
  on(e.count, "change", () => app.setCount(Number(e.count.value)));
  on(e.count, "keydown", (event) => event.key === "Enter" && e.stage.focus());
  on(e.opacity, "input", () => app.setOpacity(Number(e.opacity.value)));
  on(e.compare, "click", () => app.compare());
  on(e.split, "click", () => app.split());
  on(e.merge, "click", () => app.merge());
  on(e.several, "click", () => {
    app.several = !app.several;
    app.update();
  });
  on(e.radius, "input", () => app.setRadius(Number(e.radius.value)));
  on(e["add-class"], "click", () => app.addClass());
  on(e["clear-marks"], "click", () => model.clearMarks());
  on(e.in, "click", () => app.zoom(1.25));
  on(e.out, "click", () => app.zoom(0.8));
  on(e.fit, "click", () => app.fit());
  on(e.real, "click", () => app.realSize());
  const sets = [
    radios(e.views, "view", (view) => app.setView(view)),
    radios(e.tools, "tool", (tool) => app.setTool(tool)),
    radios(e.result, "result", (result) => app.setResult(result)),
  ];
  fillHelp(e.keys);

  app.listeners.push(() => {
    const { renderer } = app;
    const [showView, showTool, showResult] = sets;
    showView(renderer.mode);
    showTool(app.tool);
    showResult(model.byClass ? "classes" : "regions");
    e.undo.disabled = !model.history.length;
    e.redo.disabled = !model.future.length;
    if (document.activeElement !== e.count) e.count.value = model.nShown;
    e.count.disabled = model.byClass;
    e.unit.textContent = model.byClass ? "classes" : model.nShown === 1 ? "region" : "regions";
    const { level } = model.state;
    if (level !== null) e.level.value = level;
    e["level-text"].textContent = level === null ? "edited" : `level ${level.toFixed(2)}`;
    e.level.setAttribute("aria-valuetext", `${e["level-text"].textContent}, ${app.countText()}`);
    e.opacity.value = renderer.opacity;
    e["opacity-text"].textContent = percent(renderer.opacity);
    e.compare.setAttribute("aria-pressed", renderer.divider !== null);
    e.several.setAttribute("aria-pressed", app.several);
    e.stage.dataset.tool = app.tool;
    e.selecting.hidden = app.tool !== "select";
    e.marking.hidden = app.tool === "select";
    e.results.hidden = !model.marked;
    e["clear-marks"].disabled = !model.state.strokes.length;
    e.radius.value = app.radius;
    e["radius-text"].textContent = app.radius ? `${2 * app.radius + 1} px` : "1 px";
    e.percent.textContent = percent(renderer.view.scale);
    showSelection(app);
    showClasses(app);
    showDivider(app);
    showHovered(app);
  });
}

function on(element, event, action) {
  element.addEventListener(event, action);
}

// Buttons of which one is chosen: one stop for Tab, arrows among them.
function radios(group, name, choose) {
  const buttons = [...group.children];
  for (const [k, button] of buttons.entries()) {
    on(button, "click", () => choose(button.dataset[name]));
    on(button, "keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const next = buttons[(k + step + buttons.length) % buttons.length];
      next.focus();
      choose(next.dataset[name]);
      event.preventDefault();
    });
  }
  return (value) => {
    for (const button of buttons) {
      const chosen = button.dataset[name] === value;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  };
}

function showSelection({ model, elements: e }) {
  const regions = model.selected();
  e.split.disabled = e.merge.disabled = !regions.length || model.byClass;
  if (!regions.length) {
    e.selected.textContent = "Click a region to select it, shift-click to add more.";
    return;
  }
  const area = regions.reduce((sum, region) => sum + model.regionAreas[region], 0);
  const share = (100 * area) / (model.data.width * model.data.height);
  const what = regions.length === 1 ? "1 region" : `${regions.length.toLocaleString("en")} regions`;
  e.selected.textContent = `${what} selected, ${area.toLocaleString("en")} px, ${share.toPrecision(2)} %`;
}

function showClasses(app) {
  const { model, elements: e } = app;
  const { classes } = model.state;
  while (e.classes.children.length > classes.length) e.classes.lastChild.remove();
  while (e.classes.children.length < classes.length) e.classes.append(classRow(app, e.classes.children.length));
  classes.forEach(({ name, color }, k) => {
    const [radio, swatch, text, remove] = e.classes.children[k].children;
    e.classes.children[k].dataset.current = k === app.current;
    radio.checked = k === app.current;
    radio.setAttribute("aria-label", `Mark as ${name}`);
    swatch.value = color;
    swatch.setAttribute("aria-label", `Colour of ${name}`);
    if (document.activeElement !== text) text.value = name;
    remove.setAttribute("aria-label", `Remove ${name}`);
    remove.disabled = classes.length < 2;
  });
}

function classRow(app, k) {
  const row = document.createElement("div");
  row.className = "class";
  const [radio, swatch, text] = ["radio", "color", "text"].map((type) => Object.assign(document.createElement("input"), { type }));
  radio.name = "class";
  text.setAttribute("aria-label", "Name of the class");
  text.maxLength = 60;
  text.spellcheck = false;
  const remove = Object.assign(document.createElement("button"), { className: "icon" });
  remove.append(document.querySelector("#sheet svg").cloneNode(true));
  on(radio, "change", () => app.setClass(k));
  on(text, "focus", () => app.setClass(k));
  on(swatch, "input", () => app.model.setClass(k, { color: swatch.value }, `color ${k}`));
  on(text, "change", () => app.model.setClass(k, { name: text.value.trim() || `class ${k + 1}` }));
  on(remove, "click", () => app.removeClass(k));
  row.append(radio, swatch, text, remove);
  return row;
}

function showDivider({ renderer, elements: e }) {
  e.divider.hidden = renderer.divider === null;
  if (renderer.divider === null) return;
  e.divider.style.left = `${100 * renderer.divider}%`;
  e.divider.setAttribute("aria-valuenow", Math.round(100 * renderer.divider));
}

function showHovered(app) {
  const { renderer, elements: e } = app;
  const region = renderer.hovered;
  e.hud.hidden = !(region >= 0 && region < app.model.nRegions);
  if (e.hud.hidden) return;
  const hex = toHex(renderer.flat(region));
  const [swatch, title, facts] = e.hud.children.length
    ? e.hud.children
    : ["i", "b", "span"].map((tag) => e.hud.appendChild(document.createElement(tag)));
  swatch.style.background = hex;
  title.textContent = app.nameOf(region) || hex;
  facts.textContent = app.factsOf(region);
}

function fillHelp(sheet) {
  for (const [title, rows] of KEYS) {
    const part = document.createElement("div");
    const list = document.createElement("dl");
    part.append(Object.assign(document.createElement("h3"), { textContent: title }), list);
    for (const [keys, words] of rows) {
      const term = document.createElement("dt");
      const plain = /^(Wheel|Drag|Two)/.test(keys);
      const parts = plain ? [keys] : keys.split(" ");
      parts.forEach((key, k) => {
        if (k) term.append(" ");
        term.append(Object.assign(document.createElement(plain ? "span" : "kbd"), { textContent: key }));
      });
      list.append(term, Object.assign(document.createElement("dd"), { textContent: words }));
    }
    sheet.append(part);
  }
}

// How many regions there are at each level, behind the slider.
export function drawCurve(app) {
  const { curve } = app.elements;
  const { tree } = app.model;
  const ratio = devicePixelRatio;
  const style = getComputedStyle(curve);
  const width = Math.max(curve.clientWidth - 18, 1), height = curve.clientHeight;
  curve.width = (width + 18) * ratio;
  curve.height = height * ratio;
  const context = curve.getContext("2d");
  context.scale(ratio, ratio);
  context.fillStyle = style.color;
  context.beginPath();
  context.moveTo(0, height);
  const most = Math.log(tree.nLeaves + 1);
  for (let x = 0; x <= width; x++) {
    const count = tree.nLeaves - tree.mergesAt(x / width);
    context.lineTo(x, height * (1 - Math.log(Math.max(count, 1)) / most));
  }
  context.lineTo(width, height);
  context.fill();
}
