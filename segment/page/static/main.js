// Starts the page: reads what Python put into it, then lets the user act.

import { App } from "./app.js";
import { connectExports } from "./save.js";
import { listen, listenToKeys } from "./input.js";
import { Model } from "./model.js";
import { fromBase64, unpack } from "./pack.js";
import { connect, drawCurve } from "./panel.js";
import { Renderer } from "./render.js";

function start(data) {
  const elements = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
  const model = new Model(data);
  const renderer = new Renderer(model, elements);
  const app = new App(model, renderer, elements);
  elements.picture.width = data.width;
  elements.picture.height = data.height;
  connect(app);
  connectExports(app);
  listen(app);
  listenToKeys(app);
  let fitted = false;
  new ResizeObserver(() => {
    const { clientWidth, clientHeight } = elements.stage;
    renderer.resize(clientWidth, clientHeight, devicePixelRatio);
    if (!fitted || renderer.fitted) renderer.fit();
    else renderer.pan(0, 0);
    fitted = true;
    renderer.draw();
    drawCurve(app);
    app.update();
  }).observe(elements.stage);
  elements.loading.hidden = true;
  return app;
}

async function startFromPage() {
  const loading = document.getElementById("loading");
  try {
    const packed = document.getElementById("packed");
    const data = await unpack(fromBase64(packed.textContent.trim()));
    packed.remove();
    return start(data);
  } catch (error) {
    loading.textContent = `This page cannot be shown: ${error.message}`;
    loading.hidden = false;
    throw error;
  }
}

export const app = document.getElementById("packed") ? await startFromPage() : null;
globalThis.app = app;
