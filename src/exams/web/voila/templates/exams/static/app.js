// The dashboard's frame: header, pages, choice of quarter, and what keeps it up to date.

import {actionsOf, give, showReport} from "./actions.js";
import {data} from "./data.js";
import {h} from "./dom.js";
import {etl} from "./etl.js";
import {narrowedTables} from "./filters.js";
import {named} from "./format.js";
import {chosen, filterBar, hang, hangAgain} from "./gallery.js";
import {home} from "./home.js";
import {hold, keep, keptBefore, release, restore, retype, startAgain} from "./keep.js";
import {ml} from "./ml.js";
import {status} from "./status.js";
import {tell} from "./telling.js";
import {TEXTS} from "./texts.js";
import {trends} from "./trends.js";

const TICK = 5000; // milliseconds between two looks for something new
const SAID = TEXTS.frame;
const CHOSEN = ["quarter", "score", "dimension", "table", "search", "span"]; // in the address
const PAGES = [
  ["home", SAID.home, home],
  ["status", SAID.status, status],
  ["etl", SAID.etl, etl],
  ["ml", SAID.ml, ml],
  ["trends", SAID.trends, trends],
  ["data", SAID.data, data],
];

/** Draw the dashboard into `root` and keep it up to date.
 *  source: `title`, the first `payload`, and `connect(hear, state)`: it lets `hear` get every
 *  answer and `state` "open", "lost" or "gone" (only a page loaded anew gets an answer), and
 *  returns ask(question); `cardAddress(quarter)` where model cards are pages of their own. The
 *  source is a kernel (kernel.js) or the files of the static site (site.js). */
export function mount(root, {title, payload, connect, cardAddress}) {
  const address = new URLSearchParams(location.search);
  const app = {
    title, payload, root, cardAddress, link: "open", placed: [], filters: [], bar: null, asked: [],
    wanted: Object.fromEntries(CHOSEN.map((name) => [name, address.get(name)])),
    page: PAGES.some(([name]) => name === address.get("page")) ? address.get("page") : "home",
  };
  app.ask = connect((answer) => hear(app, answer), (state) => feel(app, state));
  app.kept = keptBefore(); // before another kernel was needed
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
const inquire = (app) => app.ask({
  quarter: app.payload.quarters.includes(app.wanted.quarter) ? app.wanted.quarter : null,
  have: isWaiting(app) ? null : app.payload.stamp,
  seen: app.payload.now?.stamp ?? null,
});

/** Take an answer. */
function hear(app, answer) {
  if (answer.report) showReport(app, answer.report);
  if (answer.card) app.showCard?.(answer.card);
  if (answer.table) give(app, answer.table);
  app.trouble = answer.error ?? null;
  const former = app.payload;
  app.payload = {...former, ...answer.payload, now: answer.now ?? answer.payload?.now ?? former.now};
  if (figuresOf(app.payload) !== figuresOf(former)) redraw(app);
  else if (app.page === "status" && (answer.now || answer.payload)) renew(app);
  app.main.removeAttribute("aria-busy");
  tell(app, turn);
}

/** Follow the state of the line. */
function feel(app, state) {
  if (app.link === "gone") return;
  app.link = state;
  tell(app, turn);
  if (state === "gone") startAgain(app.root);
}

/** Everything but the status: while a build runs, only the status page needs drawing anew. */
const figuresOf = ({stamp, now, comm, ...figures}) => JSON.stringify(figures);

/** Draw everything anew, and leave it as the reader had it. */
function redraw(app) {
  const height = app.main.clientHeight;
  app.kept = keep(app.root, app.kept);
  frame(app);
  hold(app.main, height);
  render(app);
}

/** Draw all but the charts of the page anew. */
function renew(app) {
  const kept = keep(app.main);
  fill(app, app.main.querySelector(":scope > .charts"));
  restore(app.main, kept);
}

/** Build the header: title, quarter, pages. */
function frame(app) {
  const {quarters, quarter} = app.payload;
  const shown = quarters.includes(app.wanted.quarter) ? app.wanted.quarter : quarter;
  const choice = h("select", {id: "quarter", onchange: (e) => choose(app, e.target.value)},
    quarters.map((q) => h("option", {value: q, selected: q === shown}, named(q, app.payload))));
  app.message = h("span", {role: "status"});
  app.late = h("span");
  const partial = app.payload.publication?.refused
    ? h("span", {class: "state failed"}, SAID.incomplete) : null;
  app.links = PAGES.map(([name, words]) => h("a", {
    href: `?page=${name}`,
    onclick: (event) => { event.preventDefault(); turn(app, name); },
  }, words));
  app.main = h("main", {id: "figures", tabindex: "-1"});
  app.root.replaceChildren(
    h("a", {class: "skip", href: "#figures", onclick: (event) => {
      event.preventDefault();
      app.main.focus();
    }}, SAID.skip),
    h("header", {class: "top"},
      h("div", {class: "bar"},
        h("div", {class: "name"}, h("h1", {}, app.title),
          h("p", {class: "asof"}, app.message, partial, app.late)),
        quarters.length ? h("label", {class: "quarter"}, `${SAID.quarter} `, choice) : null),
      h("nav", {"aria-label": SAID.pages}, app.links)),
    app.main,
    h("footer", {}, SAID.footer));
  app.root.removeAttribute("aria-busy");
  tell(app, turn);
}

function choose(app, quarter) {
  app.wanted.quarter = quarter;
  remember(app);
  app.main.setAttribute("aria-busy", "true");
  inquire(app);
}

function turn(app, page) {
  app.page = page;
  app.kept = null;
  release(app.main);
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
  fill(app, charts.length ? space : null);
  const {kept} = app;
  if (kept) {
    retype(app.main, kept);
    restore(app.root, kept);
  }
  await vega();
  await tracked(app, () => hang(app, space, charts), kept);
}

/** Put the content of the page around its charts, if it has some. */
function fill(app, charts) {
  const {before} = contentOf(app, app.payload);
  app.main.replaceChildren(...[...before, app.bar, charts].filter(Boolean), ...tablesOf(app));
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
async function tracked(app, work, kept = null) {
  const {main, page} = app;
  delete main.dataset.drawn;
  main.working = (main.working ?? 0) + 1;
  try {
    await work();
  } finally {
    main.working -= 1;
  }
  if (main.working || main !== app.main || page !== app.page) return;
  if (kept) restore(app.root, kept); // what belongs to a chart
  if (kept?.at) scrollTo(...kept.at);
  app.kept = null;
  release(main);
  main.dataset.drawn = `${app.payload.quarter} ${page}`;
}

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
