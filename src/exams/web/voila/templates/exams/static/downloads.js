// What a reader may save of a chart: its figures, and a picture of it. Made in the browser.

import {csv} from "./csv.js";
import {h} from "./dom.js";
import {drawable} from "./drawing.js";
import {figuresOf} from "./figures.js";
import {picture, pngFile, svgFile} from "./picture.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.charts;

/** Let the browser save a file. */
export function save(file, name) {
  const address = URL.createObjectURL(file);
  h("a", {href: address, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000); // once it is written
}

/** Return a CSV file. */
export const csvFile = (titles, rows) => new Blob([csv(titles, rows)], {type: "text/csv"});

/** Return the CSV file of a chart's figures; a hidden one says so. */
function figuresFile(spec) {
  const {columns, rows} = figuresOf(spec);
  const none = (row) => (row.suppressed ? TEXTS.format.hidden : null);
  return csvFile(columns.map(({title}) => title),
    rows.map((row) => columns.map(({field}) => row[field] ?? none(row))));
}

/** Return the controls that save a chart as <name>.csv, .png and .svg; null without figures. */
export function savers(spec, name, title, source) {
  const kinds = [
    ["CSV", async () => figuresFile(spec)],
    ["PNG", async () => pngFile(await picture(spec, source))],
    ["SVG", async () => svgFile(await picture(spec, source))],
  ].slice(figuresOf(spec).rows.length ? 0 : 1, drawable(spec) ? 3 : 1);
  if (!kinds.length) return null;
  const button = ([kind, file]) => h("button", {
    type: "button", "aria-label": SAID.saveAs(kind, title),
    onclick: async () => save(await file(), `${name}.${kind.toLowerCase()}`),
  }, kind);
  return h("div", {class: "save", role: "group", "aria-label": SAID.saveOf(title)},
    h("span", {"aria-hidden": "true"}, SAID.save), kinds.map(button));
}
