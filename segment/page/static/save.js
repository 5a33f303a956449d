// The dialog of exports, and files to and from the user's disk.

import { MAKERS, Result } from "./formats.js";

// Name, what it is, what makes it, and the end of the file's name.
export const FORMATS = [
  ["Label map", "16-bit PNG, 0 where masked", "labels", "labels.png"],
  ["Flat colours", "PNG, each region in its mean", "flat", "posterized.png"],
  ["Outlines", "PNG, white where regions meet", "boundaries", "boundaries.png"],
  ["Table", "CSV: areas, places, colours", "csv", "regions.csv"],
  ["GeoJSON", "Polygons, as QuPath reads them", "geojson", "geojson"],
  ["COCO", "Lossless masks (RLE)", "coco", "coco.json"],
  ["LabelMe", "Polygons to edit on", "labelme", "labelme.json"],
  ["SVG", "Flat shapes to draw with", "svg", "svg"],
  ["Cut-outs", "Transparent PNGs", "cutouts", "cutout"],
  ["Project", "To open again", "project", "project.json"],
];

export async function made(app, format) {
  const blob = await MAKERS[format](new Result(app));
  return blob instanceof Blob ? blob : new Blob([blob], { type: "text/plain" });
}

export function connectExports(app) {
  const { elements: e, model } = app;
  const stem = model.data.name.replace(/\.[^.]*$/, "").replace(/[/\\:*?"<>|\p{C}]/gu, "_") || "picture";
  for (const [name, words, format, ending] of FORMATS) {
    const button = document.createElement("button");
    button.dataset.format = format;
    button.append(
      Object.assign(document.createElement("b"), { textContent: name }),
      Object.assign(document.createElement("span"), { textContent: words }),
    );
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const blob = await made(app, format);
        const kind = format === "cutouts" ? `${ending}${blob.type === "image/png" ? ".png" : "s.zip"}` : ending;
        if (app.deliver) await app.deliver(blob, kind);
        else {
          download(blob, `${stem}.${kind}`);
          app.say(`${name} made`);
        }
      } catch (error) {
        app.say(error.message);
      }
      button.disabled = false;
    });
    e.formats.append(button);
  }
  e.export.addEventListener("click", () => {
    const chosen = model.selection.size ? `; cut-outs of the ${model.selection.size} selected` : "";
    e["exports-of"].textContent = `${app.countText()} as shown now${chosen}.`;
    e.exports.showModal();
  });
  e.open.addEventListener("change", async () => {
    const [file] = e.open.files;
    e.open.value = "";
    if (!file) return;
    try {
      model.load(JSON.parse(await file.text()));
      e.exports.close();
      app.say("Project opened");
    } catch (error) {
      app.say(error instanceof SyntaxError ? "This is no project of this page." : error.message);
    }
  });
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
