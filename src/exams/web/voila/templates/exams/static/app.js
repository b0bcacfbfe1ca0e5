// The dashboard's frame: header, pages, choice of quarter, and what keeps it up to date.

import {drawChart} from "./charts.js";
import {h} from "./dom.js";
import {etl} from "./etl.js";
import {moment, named} from "./format.js";
import {home} from "./home.js";
import {ml} from "./ml.js";
import {status} from "./status.js";
import {TEXTS} from "./texts.js";
import {trends} from "./trends.js";

const TICK = 5000; // milliseconds between two looks for something new
const SAID = TEXTS.frame;
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
    title, payload, root, link: "open", erase: [], wanted: address.get("quarter"),
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
  quarters.includes(wanted) && wanted !== quarter;

/** Ask for what is chosen, unless the page has it already. */
const inquire = (app) =>
  app.ask({quarter: app.wanted, have: isWaiting(app) ? null : app.payload.stamp});

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
  const shown = app.wanted && quarters.includes(app.wanted) ? app.wanted : quarter;
  const choice = h("select", {id: "quarter", onchange: (e) => choose(app, e.target.value)},
    quarters.map((q) => h("option", {value: q, selected: q === shown}, named(q, app.payload))));
  app.message = h("span", {role: "status"});
  const partial = app.payload.publication?.refused
    ? h("span", {class: "state failed"}, SAID.incomplete) : null;
  app.links = PAGES.map(([name, words]) => h("a", {
    href: `?page=${name}`,
    onclick: (event) => { event.preventDefault(); turn(app, name); },
  }, words));
  app.main = h("main", {tabindex: "-1"});
  app.root.replaceChildren(
    h("header", {class: "top"},
      h("div", {class: "bar"},
        h("div", {class: "name"}, h("h1", {}, app.title),
          h("p", {class: "asof"}, app.message, partial)),
        quarters.length ? h("label", {class: "quarter"}, `${SAID.quarter} `, choice) : null),
      h("nav", {"aria-label": SAID.pages}, app.links)),
    app.main,
    h("footer", {}, SAID.footer));
  app.root.removeAttribute("aria-busy");
  tell(app);
}

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
  app.wanted = quarter;
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

/** Keep page and quarter in the address (and the token, if any, out of it). */
function remember(app) {
  const address = new URL(location.href);
  address.searchParams.set("page", app.page);
  if (app.wanted) address.searchParams.set("quarter", app.wanted);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

/** Draw the chosen page anew. */
async function render(app) {
  app.erase.splice(0).forEach((finalize) => finalize());
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
  const {before, after} = content(app.payload, {
    openReport: () => app.ask({report: app.payload.quarter}),
  });
  const charts = app.payload.charts.filter((chart) => [chart.page].flat().includes(name));
  const columns = charts.slice(0, 2).map(() => h("div"));
  const space = h("div", {class: "charts"}, columns);
  app.main.replaceChildren(...before.filter(Boolean), ...(charts.length ? [space] : []), ...after);
  await vega();
  const shown = () => space.isConnected || !charts.length;
  const placed = columns.map(() => null);
  for (const [i, chart] of charts.entries()) {
    if (!shown()) return; // another page or quarter was asked for meanwhile
    const at = shortest(columns);
    placed[at] = {figure: placeOf(chart, i), ...chart};
    columns[at].append(placed[at].figure);
    await drawInto(app, placed[at]);
  }
  if (columns.length === 2) await level(app, columns, placed);
  if (!shown()) return;
  app.main.dataset.drawn = `${app.payload.quarter} ${name}`;
}

/** Return the frame of a chart; `order` is its place where all stand in one column. */
const placeOf = ({name}, order) =>
  h("figure", {class: "card", "data-chart": name, style: `order: ${order}`});

const shortest = (columns) => (columns[1]?.clientHeight < columns[0].clientHeight ? 1 : 0);

async function drawInto(app, {figure, spec, name}, taller = 0) {
  figure.replaceChildren();
  try {
    app.erase.push(await drawChart(figure, spec, name, taller));
  } catch (error) {
    figure.append(h("p", {class: "problem"}, TEXTS.charts.notDrawn(error.message)));
  }
}

/** Let both columns of charts end level: the last chart of the shorter one grows, but not so
 *  much that it looks coarse; the rest of its card stays empty. */
async function level(app, columns, placed) {
  const at = shortest(columns);
  const gap = Math.abs(columns[0].clientHeight - columns[1].clientHeight);
  const most = 0.5 * placed[at].figure.clientHeight;
  if (gap > 8) await drawInto(app, placed[at], Math.min(gap, most));
  columns[0].parentElement.classList.add("level");
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
