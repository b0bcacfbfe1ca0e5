// Draws Vega-Lite files in the type and colours of the page. Used by dashboard and reports;
// needs window.vegaEmbed. (Reports hold this file, before it what it imports, as one script.)

import {h} from "./dom.js";
import {savers} from "./downloads.js";
import {drawable, embed} from "./drawing.js";
import {drawnOf} from "./figures.js";
import {moment} from "./format.js";
import {heading, separate, stretch} from "./layout.js";
import {TEXTS} from "./texts.js";
import {theme} from "./theme.js";

/** Return the chart's title as the page's own text, where it wraps on a small screen. */
function caption({title, subtitle}) {
  const line = (tag, lines) =>
    (lines.length ? h(tag, {}, lines.join(" ").replaceAll(" %", "\u00a0%")) : null);
  return h("figcaption", {}, line("strong", title), line("span", subtitle));
}

/** Return the chart's figures as a table that is closed until asked for. */
function figures({columns, rows}, title) {
  const line = (tag, cells) => h("tr", {}, cells.map((text, i) =>
    h(tag, {class: columns[i].number ? "number" : null}, text)));
  const head = h("thead", {}, line("th", columns.map(({title}) => title)));
  const table = h("table", {}, head, h("tbody", {}, rows.map((row) => line("td", row))));
  return h("details", {class: "figures"},
    h("summary", {}, TEXTS.charts.figures),
    h("div", {tabindex: "0", role: "region", "aria-label": TEXTS.charts.figuresOf(title)}, table));
}

/** For those who do not see it, the drawing is a picture that `words` stand for. */
function describe(figure, words) {
  const drawing = figure.querySelector("svg.marks");
  drawing.setAttribute("aria-hidden", "true");
  const picture = drawing.parentElement;
  picture.removeAttribute("aria-roledescription");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words);
}

/** Return where the figures of a publication come from, as a line below a picture. */
export const sourceOf = (publication) => (publication
  ? TEXTS.charts.source({...publication, when: moment(publication.published_at)}) : "");

/** Draw `spec` into the empty element `figure`. The promise ends when it is drawn, with a
 *  function that ends the drawing.
 *  name: of the files that a reader saves; taller: pixels more than it asks for; source: where
 *  its figures come from, for pictures of it. */
export async function drawChart(figure, spec, {name = "chart", taller = 0, source = ""} = {}) {
  const given = drawnOf(spec);
  const words = heading(given.title);
  const title = words?.title.join(" ") || name;
  if (words) figure.append(caption(words));
  const canvas = h("div", {class: "canvas"});
  figure.append(canvas);
  const end = await draw(canvas, given, words !== null, {width: figure.clientWidth, taller});
  if (end) describe(figure, spec.description || title);
  const saved = savers(given, name, title, source);
  if (saved) figure.append(saved);
  if (spec.usermeta?.table) figure.append(figures(given.usermeta.table, title));
  return end ?? (() => {});
}

/** Draw a chart, its title apart if it is `titled`; end with a function that ends the drawing.
 *  Where there is nothing to draw, say so instead, and end with null. */
async function draw(canvas, given, titled, {width, taller}) {
  const spec = structuredClone(drawable(given));
  if (!spec) {
    canvas.append(h("p", {class: "empty"}, TEXTS.charts.none));
    return null;
  }
  if (titled) delete spec.title;
  let drawn = await embed(canvas, spec, theme(width));
  if (taller) stretch(spec, drawn.view, taller);
  if (separate(spec, drawn.view) || taller) {
    drawn.finalize();
    drawn = await embed(canvas, spec, theme(width));
  }
  return () => drawn.finalize();
}
