// The dashboard: what it shows, and what keeps it up to date.

import {give, showReport} from "./actions.js";
import {chosenInAddress, remember} from "./address.js";
import {frame} from "./frame.js";
import {hold, keep, keptBefore, release, startAgain} from "./keep.js";
import {PAGES, render, renew} from "./pages.js";
import {tell} from "./telling.js";

const TICK = 5000; // milliseconds between two looks for something new

/** Draw the dashboard into `root` and keep it up to date.
 *  source: `title`, the first `payload`, and `connect(hear, state)`: it lets `hear` get every
 *  answer and `state` "open", "lost" or "gone" (only a page loaded anew gets an answer), and
 *  returns ask(question); `cardAddress(quarter)` where model cards are pages of their own. The
 *  source is a kernel (kernel.js) or the files of the static site (site.js). */
export function mount(root, {title, payload, connect, cardAddress}) {
  const {wanted, page} = chosenInAddress();
  const app = {
    title, payload, root, cardAddress, wanted, link: "open", placed: [], filters: [], bar: null,
    asked: [], page: PAGES.some(([name]) => name === page) ? page : "home",
  };
  app.ask = connect((answer) => hear(app, answer), (state) => feel(app, state));
  app.kept = keptBefore(); // before another kernel was needed
  build(app);
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

/** Build the frame around the page. */
function build(app) {
  frame(app, (quarter) => choose(app, quarter), (page) => turn(app, page));
  tell(app, turn);
}

/** Draw everything anew, and leave it as the reader had it. */
function redraw(app) {
  const height = app.main.clientHeight;
  app.kept = keep(app.root, app.kept);
  build(app);
  hold(app.main, height);
  render(app);
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
