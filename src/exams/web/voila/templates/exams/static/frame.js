// What stands around every page: title, quarter, the list of pages, a line below.

import {h} from "./dom.js";
import {named} from "./format.js";
import {PAGES} from "./pages.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.frame;

/** Put the frame into `app.root`, with an empty `app.main`. `choose` is called with a quarter,
 *  `turn` with the name of a page. */
export function frame(app, choose, turn) {
  app.message = h("span", {role: "status"});
  app.late = h("span");
  app.links = PAGES.map(([name, words]) => h("a", {
    href: `?page=${name}`,
    onclick: (event) => { event.preventDefault(); turn(name); },
  }, words));
  app.main = h("main", {id: "figures", tabindex: "-1"});
  app.root.replaceChildren(skip(app), header(app, choose), app.main, h("footer", {}, SAID.footer));
  app.root.removeAttribute("aria-busy");
}

/** Return a link past the header, seen by those alone who tab to it. */
const skip = (app) => h("a", {class: "skip", href: "#figures", onclick: (event) => {
  event.preventDefault();
  app.main.focus();
}}, SAID.skip);

function header(app, choose) {
  const {quarters, publication} = app.payload;
  const partial = publication?.refused
    ? h("span", {class: "state failed"}, SAID.incomplete) : null;
  return h("header", {class: "top"},
    h("div", {class: "bar"},
      h("div", {class: "name"}, h("h1", {}, app.title),
        h("p", {class: "asof"}, app.message, partial, app.late)),
      quarters.length
        ? h("label", {class: "quarter"}, `${SAID.quarter} `, choiceOf(app, choose)) : null),
    h("nav", {"aria-label": SAID.pages}, app.links));
}

/** Return the choice of a quarter; one that is not published is not chosen. */
function choiceOf({payload, wanted}, choose) {
  const {quarters, quarter} = payload;
  const shown = quarters.includes(wanted.quarter) ? wanted.quarter : quarter;
  return h("select", {id: "quarter", onchange: ({target}) => choose(target.value)},
    quarters.map((q) => h("option", {value: q, selected: q === shown}, named(q, payload))));
}
