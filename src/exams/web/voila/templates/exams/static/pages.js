// The pages: what each one shows, and how it is drawn.

import {actionsOf} from "./actions.js";
import {remember} from "./address.js";
import {data} from "./data.js";
import {h} from "./dom.js";
import {etl} from "./etl.js";
import {narrowedTables} from "./filters.js";
import {chosen, filterBar, hang, hangAgain} from "./gallery.js";
import {home} from "./home.js";
import {keep, release, restore, retype} from "./keep.js";
import {ml} from "./ml.js";
import {status} from "./status.js";
import {TEXTS} from "./texts.js";
import {trends} from "./trends.js";

const SAID = TEXTS.frame;
const PATIENCE = 3000; // milliseconds

/** The pages in their order: name (in the address), title, content(payload, actions).
 *  The content is what stands `before` and `after` the charts; `ready`, if it has one, is a
 *  promise that ends when what it still waited for is there. */
export const PAGES = [
  ["home", SAID.home, home],
  ["status", SAID.status, status],
  ["etl", SAID.etl, etl],
  ["ml", SAID.ml, ml],
  ["trends", SAID.trends, trends],
  ["data", SAID.data, data],
];

/** Draw the chosen page anew. */
export async function render(app) {
  app.placed.splice(0).forEach(({end}) => end?.());
  const name = app.page;
  app.links.forEach((link, i) => {
    if (PAGES[i][0] !== name) return link.removeAttribute("aria-current");
    link.setAttribute("aria-current", "page");
    link.parentElement.scrollLeft = link.offsetLeft - 60; // into view on a phone
  });
  app.main.removeAttribute("aria-busy");
  delete app.main.dataset.drawn;
  if (!app.payload.quarter && name !== "status") {
    app.main.replaceChildren(h("p", {class: "empty"}, SAID.empty));
    return;
  }
  const charts = app.payload.charts.filter((chart) => [chart.page].flat().includes(name));
  const columns = charts.slice(0, 2).map(() => h("div"));
  const space = h("div", {class: "charts"}, columns);
  app.bar = filterBar(app, charts, (filter, value) => narrow(app, filter, value));
  const {ready} = fill(app, charts.length ? space : null);
  const {kept} = app;
  if (kept) {
    retype(app.main, kept);
    restore(app.root, kept);
  }
  await tracked(app, async () => {
    await vega();
    await Promise.all([hang(app, space, charts), soon(ready)]);
  });
}

/** Draw all but the charts of the page anew. */
export function renew(app) {
  const kept = keep(app.main);
  fill(app, app.main.querySelector(":scope > .charts"));
  restore(app.main, kept);
}

/** Put the content of the page around its charts, if it has some; return that content. */
function fill(app, charts) {
  const content = contentOf(app, app.payload);
  const parts = [...content.before, app.bar, charts].filter(Boolean);
  app.main.replaceChildren(...parts, ...tablesOf(app));
  return content;
}

/** Return what a page shows of a payload. */
function contentOf(app, payload) {
  const [, , content] = PAGES.find(([name]) => name === app.page);
  return content(payload, actionsOf(app, remember, render));
}

/** Return the tables below the charts, narrowed like these. */
function tablesOf(app) {
  app.after = contentOf(app, narrowedTables(app.payload, chosen(app, "name"))).after;
  return app.after;
}

/** Narrow the charts and tables of the page; `value` is the name of a field, null for all. */
async function narrow(app, filter, value) {
  app.wanted[filter] = value;
  remember(app);
  const kept = keep(app.main);
  app.after.forEach((part) => part.remove());
  app.main.append(...tablesOf(app));
  restore(app.main, kept);
  await tracked(app, () => hangAgain(app));
}

/** Do what draws charts; the page is drawn, and as the reader had it, when nothing more does. */
async function tracked(app, work) {
  const {main} = app;
  delete main.dataset.drawn;
  main.working = (main.working ?? 0) + 1;
  try {
    await work();
  } finally {
    main.working -= 1;
  }
  if (main.working || main !== app.main) return;
  const {kept} = app;
  if (kept) restore(app.root, kept); // what belongs to a chart, or had to be asked for
  if (kept?.at) scrollTo(...kept.at);
  app.kept = null;
  release(main);
  main.dataset.drawn = `${app.payload.quarter} ${app.page}`;
}

/** Wait for what a page asks for, but not for long: the line may be lost. */
const soon = (ready) => Promise.race([ready, new Promise((done) => setTimeout(done, PATIENCE))]);

/** Let the figures be seen first; then wait for the script that draws charts. */
async function vega() {
  await painted();
  if (window.vegaEmbed) return;
  await new Promise((done) => {
    document.head.append(h("script", {src: document.getElementById("vega").href, onload: done}));
  });
}

/** Wait until what was put into the page is seen; in a page behind another, for a moment. */
const painted = () => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(done));
  setTimeout(done, 100);
});
