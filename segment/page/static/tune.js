// What the page can do where segment tune serves it: other pictures and parameters, saved at once.

import { app } from "./main.js";

const token = new URLSearchParams(location.search).get("token");
const element = (id) => document.getElementById(id);
let state = null;
let noted = "";

async function ask(path, options = {}) {
  const answer = await fetch(`/api/${path}`, { ...options, headers: { "X-Token": token } });
  const content = await answer.json().catch(() => ({ error: `refused (${answer.status})` }));
  if (!answer.ok) throw new Error(content.error);
  return content;
}

const post = (path, body) => ask(path, { method: "POST", body });

function tell(error) {
  element("running").hidden = false;
  element("bar").hidden = element("stop").hidden = true;
  element("running-text").textContent = error.message;
}

async function run(picture, options) {
  await note();
  await post("run", JSON.stringify({ picture, options }));
  watchJob();
}

// Shows how far the job is; takes up its page when it is made.
async function watchJob() {
  const { job } = (state = await ask("state"));
  element("running").hidden = false;
  element("bar").hidden = element("stop").hidden = false;
  if (job.error) return tell(new Error(job.error));
  if (job.cancelled) return tell(new Error("stopped"));
  if (job.ready) {
    keepLook();
    return location.reload();
  }
  if (job.total) Object.assign(element("bar"), { max: job.total, value: job.done });
  else element("bar").removeAttribute("value");
  element("running-text").textContent = job.stage;
  setTimeout(() => watchJob().catch(tell), 200);
}

// How the page looks stays from one result to the next; where one looks, on the same picture.
function keepLook() {
  if (!app) return;
  const { mode, opacity, divider, view, fitted } = app.renderer;
  const look = { picture: app.model.data.name, mode, opacity, divider, view: fitted ? null : view };
  sessionStorage.setItem("look", JSON.stringify(look));
}

function takeLook() {
  if (!app.renderer.pixels) return requestAnimationFrame(takeLook); // not laid out yet
  const { picture, view, ...look } = JSON.parse(sessionStorage.getItem("look") ?? "{}");
  Object.assign(app.renderer, look);
  if (view && picture === app.model.data.name) Object.assign(app.renderer, { view, fitted: false });
  app.update();
}

// Marks are of the picture, so they hold for other regions of it; a cut is of one tree.
function takeProject(project) {
  try {
    app.model.load(project);
  } catch {
    const { strokes, classes, result, level } = project;
    app.model.change({ strokes, classes, result });
    if (level !== null) app.model.setLevel(level);
    if (strokes.length) app.say("The regions are new, the marks are kept");
  }
}

function given() {
  const options = {};
  for (const { name, value, type } of element("options").elements) {
    if (name && value !== "") options[name] = type === "number" ? Number(value) : value;
  }
  return options;
}

// Keeps the project and the classes; only where something has changed.
async function note() {
  if (!app || !state?.current) return;
  const entry = { picture: state.current, done: element("done").checked, options: state.options, project: app.model.project() };
  const text = JSON.stringify(entry);
  if (text === noted) return;
  await post("note", text);
  noted = text;
}

function stepPicture(by) {
  const names = state.pictures.map(({ name }) => name);
  const next = names[names.indexOf(state.current) + by];
  if (next) run(next, {}).catch(tell);
}

async function deliver(blob, ending) {
  const query = new URLSearchParams({ picture: state.current, ending });
  const { name } = await post(`save?${query}`, blob);
  app.say(`Saved as ${name}`);
}

async function add(file) {
  const { name } = await post(`add?${new URLSearchParams({ name: file.name })}`, file);
  await run(name, {});
}

async function begin() {
  state = await ask("state");
  const { pictures, current, options } = state;
  const select = element("pictures");
  for (const { name, done } of pictures) select.append(new Option(done ? `✓ ${name}` : name, name, false, name === current));
  element("progress-of").textContent = `${pictures.filter(({ done }) => done).length} of ${pictures.length} done`;
  element("done").checked = pictures.some(({ name, done }) => done && name === current);
  element("command").textContent = state.command ?? "";
  for (const [name, value] of Object.entries(options)) element("options").elements[name].value = value;
  if (Object.keys(options).length) document.querySelector("#tuning details").open = true;
  select.addEventListener("change", () => run(select.value, {}).catch(tell));
  element("previous").addEventListener("click", () => stepPicture(-1));
  element("next").addEventListener("click", () => stepPicture(1));
  element("done").addEventListener("change", () => note().catch(tell));
  element("stop").addEventListener("click", () => post("stop").catch(tell));
  element("options").addEventListener("submit", (event) => {
    event.preventDefault();
    run(state.current, given()).catch(tell);
  });
  addEventListener("keydown", (event) => {
    const by = { PageUp: -1, PageDown: 1 }[event.key];
    if (by && !event.target.matches?.("input, select, textarea")) stepPicture(by);
  });
  element("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) add(target.files[0]).catch(tell);
    target.value = "";
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) add(event.dataTransfer.files[0]).catch(tell);
  });
  if (app && !state.job?.ready) return watchJob();
  if (!app) {
    document.body.classList.add("bare");
    element("name").textContent = "segment tune";
    document.body.classList.toggle("empty", !pictures.length);
    if (pictures.length) element("loading").textContent = "Segmenting…";
    else element("loading").replaceChildren("Drop a picture here", element("add"));
    if (state.job) return watchJob();
    if (pictures.length) return run((pictures.find(({ done }) => !done) ?? pictures[0]).name, {});
    return;
  }
  app.deliver = deliver;
  takeLook();
  if (state.project) takeProject(state.project);
  else if (state.classes) app.model.change({ classes: state.classes });
  app.model.history.length = 0;
  if (state.job.notes.length) app.say(state.job.notes[0]);
  noted = "";
  app.update();
  app.model.addEventListener("change", () => {
    clearTimeout(begin.waiting);
    begin.waiting = setTimeout(() => note().catch(tell), 800);
  });
}

begin().catch(tell);
