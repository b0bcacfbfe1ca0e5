// The charts of a page in two columns, and the filters above them.

import {drawChart, sourceOf} from "./charts.js";
import {h} from "./dom.js";
import {narrowed, offered} from "./filters.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.filters;

/** Return what is chosen of what `app.filters` offer: {score, dimension}, by "name" or "title". */
export function chosen({filters, wanted}, key) {
  const found = filters.map(({name, fields}) =>
    [name, fields.find((field) => field.name === wanted[name])?.[key]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

/** Return the controls that narrow the charts; null where there is nothing to narrow.
 *  `choose` is called with the name of the filter and the value, null for all. */
export function filterBar(app, charts, choose) {
  app.filters = offered(app.payload, charts);
  const now = chosen(app, "name");
  const control = ({name, fields}) => h("label", {}, `${SAID[name]} `,
    h("select", {name, onchange: ({target}) => choose(name, target.value || null)},
      h("option", {value: ""}, SAID.all[name]),
      fields.map((field) =>
        h("option", {value: field.name, selected: field.name === now[name]}, field.title))));
  return app.filters.length
    ? h("div", {class: "filters", role: "group", "aria-label": SAID.filter},
      app.filters.map(control)) : null;
}

/** Draw `charts` into two columns of `space`, each where it is shorter, as long as it is shown. */
export async function hang(app, space, charts) {
  const columns = [...space.children];
  const last = [];
  for (const [i, chart] of charts.entries()) {
    if (!space.isConnected) return; // another page or quarter was asked for meanwhile
    const at = shortest(columns);
    last[at] = {figure: placeOf(chart, i), chart};
    app.placed.push(last[at]);
    columns[at].append(last[at].figure);
    await drawn(app, last[at]);
  }
  if (columns.length === 2) await level(app, columns, last);
}

/** Draw again those charts that another filter changes, those in sight first. */
export async function hangAgain(app) {
  const away = ({figure}) => {
    const {top, bottom} = figure.getBoundingClientRect();
    return Math.max(0, top - innerHeight, -bottom);
  };
  const order = app.placed.map((place) => [away(place), place]).sort(([a], [b]) => a - b);
  const {parentElement: space} = app.placed[0]?.figure.parentElement ?? {};
  space?.classList.remove("level"); // the cards have other heights now
  for (const [, place] of order) await drawn(app, place);
}

/** Return the frame of a chart; `order` is its place where all stand in one column. */
const placeOf = ({name}, order) =>
  h("figure", {class: "card", "data-chart": name, style: `order: ${order}`});

const shortest = (columns) => (columns[1]?.clientHeight < columns[0].clientHeight ? 1 : 0);

/** Draw a chart as the filters want it, unless it is; one drawing after the other. */
function drawn(app, place, taller = null) {
  place.turn = (place.turn ?? Promise.resolve()).then(() => draw(app, place, taller));
  return place.turn;
}

async function draw(app, place, taller) {
  const {figure, chart: {name, spec}} = place;
  const filters = chosen(app, "title");
  const found = narrowed(spec, filters);
  const same = place.by?.join() === found.by.join() && taller === null;
  place.by = found.by;
  if (!same) await drawAnew(app, place, name, found, taller ?? 0);
  const free = Object.values(filters).filter((title) => !found.by.includes(title));
  remark(figure, free.length ? SAID.free(free.join(", ")) : "");
}

/** Say below a chart's title what the reader must know of it now. */
function remark(figure, words) {
  figure.querySelector("figcaption .aside")?.remove();
  if (words) figure.querySelector("figcaption")?.append(h("span", {class: "aside"}, words));
}

async function drawAnew(app, place, name, {spec, by}, taller) {
  const {figure} = place;
  place.end?.();
  figure.style.minHeight = `${figure.clientHeight}px`; // what lies below stays where it is
  figure.replaceChildren();
  const {quarter, publication} = app.payload;
  try {
    place.end = await drawChart(figure, spec, {
      name: [name, ...by, quarter].join("-").replace(/[^\p{L}\p{N}_]+/gu, "-"),
      taller, source: sourceOf(publication),
    });
  } catch (error) {
    figure.append(h("p", {class: "problem"}, TEXTS.charts.notDrawn(error.message)));
  }
  figure.style.minHeight = "";
}

/** Let both columns of charts end level: the last chart of the shorter one grows, but not so
 *  much that it looks coarse; the rest of its card stays empty. */
async function level(app, columns, last) {
  const at = shortest(columns);
  const gap = Math.abs(columns[0].clientHeight - columns[1].clientHeight);
  const most = 0.5 * last[at].figure.clientHeight;
  if (gap > 8) await drawn(app, last[at], Math.min(gap, most));
  columns[0].parentElement.classList.add("level");
}
