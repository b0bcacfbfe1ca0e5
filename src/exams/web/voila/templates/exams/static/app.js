// The dashboard's frame: header, pages, choice of quarter, and what keeps it up to date.

import {h} from "./dom.js";
import {etl} from "./etl.js";
import {narrowedTables} from "./filters.js";
import {moment, named} from "./format.js";
import {chosen, filterBar, hang, hangAgain} from "./gallery.js";
import {home} from "./home.js";
import {ml} from "./ml.js";
import {status} from "./status.js";
import {TEXTS} from "./texts.js";
import {trends} from "./trends.js";

const TICK = 5000; // milliseconds between two looks for something new
const SAID = TEXTS.frame;
const FILTERS = ["score", "dimension"];
const PAGES = [
  ["home", SAID.home, home],
  ["status", SAID.status, status],
  ["etl", SAID.etl, etl],
  ["ml", SAID.ml, ml],
  ["trends", SAID.trends, trends],
];

/** Draw the dashboard into `root` and keep it up to date.
 *  source: `title`, the first `payload`, and `connect(hear, state)`: it lets `hear` get every
 *  answer and `state` "open" or "lost", and returns ask(question). The source is a kernel
 *  (kernel.js) or the files of the static site (site.js). */
export function mount(root, {title, payload, connect}) {
  const address = new URLSearchParams(location.search);
  const app = {
    title, payload, root, link: "open", placed: [], filters: [], after: [],
    wanted: Object.fromEntries(["quarter", ...FILTERS].map((name) => [name, address.get(name)])),
    page: PAGES.some(([name]) => name === address.get("page")) ? address.get("page") : "home",
  };
  app.ask = connect((answer) => hear(app, answer), (state) => { app.link = state; tell(app); });
  frame(app);
  // Another quarter than the one in the page: wait for the answer before drawing.
  if (isWaiting(app)) app.main.setAttribute("aria-busy", "true");
  else render(app);
  const look = () => document.hidden || inquire(app);
  look(); // a page prepared in advance may show old figures
  setInterval(look, TICK);
  document.addEventListener("visibilitychange", look);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => render(app));
}

/** Is a quarter chosen that is not the one shown? */
const isWaiting = ({wanted, payload: {quarters, quarter}}) =>
  quarters.includes(wanted.quarter) && wanted.quarter !== quarter;

/** Ask for what is chosen, unless the page has it already. */
const inquire = (app) =>
  app.ask({quarter: app.wanted.quarter, have: isWaiting(app) ? null : app.payload.stamp});

/** Take an answer. */
function hear(app, answer) {
  if (answer.report) showReport(app, answer.report);
  app.trouble = answer.error ?? null;
  if (answer.payload) {
    const same = figuresOf(answer.payload) === figuresOf(app.payload);
    app.payload = answer.payload;
    if (!same || app.page === "status") {
      frame(app);
      render(app);
    }
  }
  app.main.removeAttribute("aria-busy");
  tell(app);
}

/** Everything but the status: while a build runs, only the status page needs drawing anew. */
const figuresOf = ({stamp, status, comm, ...figures}) => JSON.stringify(figures);

/** Build the header: title, quarter, pages. */
function frame(app) {
  const {quarters, quarter} = app.payload;
  const shown = quarters.includes(app.wanted.quarter) ? app.wanted.quarter : quarter;
  const choice = h("select", {id: "quarter", onchange: (e) => choose(app, e.target.value)},
    quarters.map((q) => h("option", {value: q, selected: q === shown}, named(q, app.payload))));
  app.message = h("span", {role: "status"});
  const partial = app.payload.publication?.refused
    ? h("span", {class: "state failed"}, SAID.incomplete) : null;
  app.links = PAGES.map(([name, words]) => h("a", {
    href: `?page=${name}`,
    onclick: (event) => { event.preventDefault(); turn(app, name); },
  }, words));
  app.main = h("main", {id: "figures", tabindex: "-1"});
  const focused = place(app);
  app.root.replaceChildren(
    h("a", {class: "skip", href: "#figures", onclick: (event) => {
      event.preventDefault();
      app.main.focus();
    }}, SAID.skip),
    h("header", {class: "top"},
      h("div", {class: "bar"},
        h("div", {class: "name"}, h("h1", {}, app.title),
          h("p", {class: "asof"}, app.message, partial)),
        quarters.length ? h("label", {class: "quarter"}, `${SAID.quarter} `, choice) : null),
      h("nav", {"aria-label": SAID.pages}, app.links)),
    app.main,
    h("footer", {}, SAID.footer));
  app.root.removeAttribute("aria-busy");
  stops(app)[focused]?.focus({preventScroll: true});
  tell(app);
}

/** Where the Tab key stops in the header: what has the focus there keeps it in a new one. */
const stops = ({root}) => [...root.querySelectorAll(".skip, header :is(a, button, select)")];
const place = (app) => stops(app).indexOf(document.activeElement);

/** Say as of when the figures are, and whether the line holds. */
function tell(app) {
  if (!app.message) return;
  const {publication} = app.payload;
  let text = publication ? SAID.asOf(moment(publication.published_at)) : SAID.nothingYet;
  if (app.trouble) text = app.trouble;
  if (app.link === "lost") text += ` · ${SAID.lost}`;
  if (app.message.textContent !== text) app.message.textContent = text;
  app.message.classList.toggle("bad", app.link === "lost" || Boolean(app.trouble));
}

function choose(app, quarter) {
  app.wanted.quarter = quarter;
  remember(app);
  app.main.setAttribute("aria-busy", "true");
  inquire(app);
}

function turn(app, page) {
  app.page = page;
  remember(app);
  render(app);
  scrollTo(0, 0);
}

/** Keep page, quarter and filters in the address (and the token, if any, out of it). */
function remember(app) {
  const address = new URL(location.href);
  address.searchParams.set("page", app.page);
  for (const [name, value] of Object.entries(app.wanted)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

/** Draw the chosen page anew. */
async function render(app) {
  app.placed.splice(0).forEach(({end}) => end?.());
  const [name, , content] = PAGES.find(([known]) => known === app.page);
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
  const bar = filterBar(app, charts, (filter, value) => narrow(app, filter, value));
  const {before} = content(app.payload, actions(app));
  app.after = tablesOf(app);
  app.main.replaceChildren(
    ...before.filter(Boolean), ...[bar, charts.length ? space : null].filter(Boolean), ...app.after);
  await vega();
  await tracked(app, () => hang(app, space, charts));
}

/** What a page may ask for. */
const actions = (app) => ({openReport: () => app.ask({report: app.payload.quarter})});

/** Return the tables below the charts, narrowed like these. */
function tablesOf(app) {
  const [, , content] = PAGES.find(([known]) => known === app.page);
  return content(narrowedTables(app.payload, chosen(app, "name")), actions(app)).after;
}

/** Narrow the charts and tables of the page; `value` is the name of a field, null for all. */
async function narrow(app, filter, value) {
  app.wanted[filter] = value;
  remember(app);
  const open = app.after.map((part) => part.open);
  const after = tablesOf(app);
  app.after.forEach((part, i) => part.replaceWith(after[i] ?? ""));
  after.forEach((part, i) => { if (open[i]) part.open = true; });
  app.after = after;
  await tracked(app, () => hangAgain(app));
}

/** Mark the page as drawn when nothing of it is being drawn any more. */
async function tracked(app, work) {
  const {main, page, payload} = app;
  delete main.dataset.drawn;
  main.drawing = (main.drawing ?? 0) + 1;
  await work();
  main.drawing -= 1;
  const stays = main === app.main && page === app.page && payload === app.payload;
  if (stays && !main.drawing) main.dataset.drawn = `${payload.quarter} ${page}`;
}

/** Wait for the script that draws charts. */
function vega() {
  if (window.vegaEmbed) return Promise.resolve();
  return new Promise((done) => document.getElementById("vega").addEventListener("load", done));
}

/** Open a report in a tab of its own; it is one file that needs nothing else. */
function showReport(app, html) {
  const address = URL.createObjectURL(new Blob([html], {type: "text/html"}));
  if (!open(address, "_blank")) location.assign(address);
}
