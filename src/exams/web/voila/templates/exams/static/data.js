// Data: every published table, to be searched, sorted and saved.

import {card, fold, h, table as plain} from "./dom.js";
import {csvFile, save} from "./downloads.js";
import {count} from "./format.js";
import {found, orderOf, sorted, startOf, textOf, valueOf} from "./rows.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.data;
const LENGTH = 50; // rows in sight
const ALL = "all"; // in the address, as the span of quarters
const START = {search: null, sort: null, from: null}; // of a table, in the address

/** Return quarters from the first to the last, or that there is none. */
const span = ({first_quarter: first, last_quarter: last}) =>
  (first === last ? first ?? "–" : SAID.span(first, last));

/** Return a link to a table. */
const leading = (name, words, go) => h("a", {href: `?page=data&table=${name}`, onclick: (event) => {
  event.preventDefault();
  go({...START, table: name, span: null});
}}, words);

const searchBox = (value, label, listen) => h("label", {class: "search"}, `${label} `,
  h("input", {type: "search", name: "search", value, oninput: ({target}) => listen(target.value)}));

const button = (words, act, more = {}) =>
  h("button", {type: "button", class: "action", onclick: act, ...more}, words);

/** Return the list of all tables. */
function listOf({catalog}, {wanted, keep, go}) {
  const columns = [{title: SAID.table}, {title: SAID.rows, kind: "number"},
    {title: SAID.hidden, kind: "number"}, {title: SAID.quarters, kind: "extra"}];
  const lines = catalog.map((entry) => [
    h("span", {}, leading(entry.name, entry.title, go),
      h("span", {class: "detail"}, entry.description)),
    count(entry.rows), count(entry.hidden), h("span", {class: "whole"}, span(entry))]);
  const box = plain(SAID.tables, columns, lines);
  const message = h("p", {class: "note", role: "status"});
  const trs = [...box.querySelectorAll("tbody tr")];
  const show = (search) => {
    const words = search.toLowerCase().split(/\s+/);
    trs.forEach((tr, i) => {
      const text = [catalog[i].name, tr.textContent].join(" ").toLowerCase();
      tr.hidden = !words.every((word) => text.includes(word));
    });
    message.textContent = SAID.ofTables(trs.filter((tr) => !tr.hidden).length, trs.length);
  };
  show(wanted.search ?? "");
  return card(SAID.tables, SAID.about,
    h("div", {class: "tools"}, searchBox(wanted.search ?? "", SAID.search, (text) => {
      keep({search: text || null});
      show(text);
    })), message, box);
}

/** Return a heading that sorts by its column: `again` is called with the column and the way. */
function heading({by, descending}, column, i, again) {
  const sort = by !== i ? "none" : descending ? "descending" : "ascending";
  const words = column.unit ? SAID.unit(column.name, column.unit) : column.name;
  return h("th", {scope: "col", class: column.kind === "text" ? null : "number", "aria-sort": sort},
    h("button", {type: "button", title: column.description,
      onclick: () => again(i, by === i && !descending)}, words));
}

/** Return what a reader sees of a table: those of its `rows` that begin at `from`. */
function windowOf(table, {title, rows, from, order}, again) {
  const line = (row) => h("tr", {}, table.columns.map(({kind}, i) => {
    const text = textOf(table, row, i);
    const hidden = text === TEXTS.format.hidden && row[i] === null;
    return h("td", {class: [kind !== "text" && "number", hidden && "hidden-cell"]
      .filter(Boolean).join(" ") || null}, text);
  }));
  return h("table", {class: "data"}, h("caption", {class: "unseen"}, title),
    h("thead", {}, h("tr", {}, table.columns.map((c, i) => heading(order, c, i, again)))),
    h("tbody", {}, rows.slice(from, from + LENGTH).map(line)));
}

/** Return the controls that turn to other rows, and what is in sight. */
function pager({rows: {length: all}, from}, turn) {
  const to = Math.min(from + LENGTH, all);
  return [
    h("p", {class: "note", role: "status"},
      all ? SAID.inSight(from + 1, to, all) : SAID.nothing),
    all > LENGTH ? h("div", {class: "turning"},
      button(SAID.former, () => turn(from - LENGTH, 0), {disabled: from === 0}),
      button(SAID.next, () => turn(to, 1), {disabled: to === all})) : null,
  ].filter(Boolean);
}

/** Show a table's rows in `box` as the address says, and let address and rows follow its tools. */
function fill(box, entry, table, {wanted, keep, rowsOf}) {
  const scroll = h("div", {class: "scroll", tabindex: "0", role: "region",
    "aria-label": SAID.rowsOf(entry.title)});
  const place = h("div", {class: "pager"});
  let rows = [];
  const show = () => {
    const order = orderOf(table, wanted.sort);
    rows = sorted(found(table, wanted.search ?? ""), order);
    const sight = {title: entry.title, rows, order, from: startOf(rows, wanted.from, LENGTH)};
    scroll.replaceChildren(windowOf(table, sight, sort));
    place.replaceChildren(...pager(sight, turn));
  };
  const change = (choice) => {
    keep(choice);
    show();
  };
  const sort = (i, descending) => {
    change({sort: `${descending ? "-" : ""}${table.columns[i].name}`, from: null});
    scroll.querySelectorAll("th button")[i].focus();
  };
  const turn = (from, button) => {
    change({from: from ? String(from + 1) : null});
    scroll.scrollTop = 0;
    const both = [...place.querySelectorAll("button")];
    (both[button].disabled ? both[1 - button] : both[button]).focus();
  };
  const search = (text) => change({search: text || null, from: null});
  show();
  box.replaceChildren(toolsOf(entry, table, {wanted, rowsOf, search, rows: () => rows}), place, scroll);
  box.removeAttribute("aria-busy");
}

/** Return what searches and saves: `search` is called with a text, `rows` gives those found. */
function toolsOf(entry, table, {wanted, rowsOf, search, rows}) {
  const file = ({columns}, lines, of) => save(csvFile(columns.map(({name}) => name),
    lines.map((row) => columns.map((_, i) => valueOf(table, row, i)))), `${entry.name}-${of}.csv`);
  return h("div", {class: "tools"},
    searchBox(wanted.search ?? "", SAID.searchRows, search),
    button(SAID.saveShown, () => file(table, rows(), table.quarter ?? ALL)),
    button(SAID.saveAll, async () => {
      const whole = await rowsOf(entry.name, null);
      file(whole, whole.rows, ALL);
    }));
}

/** Return what the columns of a table mean. */
function meanings({columns}) {
  const titles = [SAID.column, SAID.kind, SAID.unitOf, SAID.meaning].map((title) => ({title}));
  return plain(SAID.meanings, titles, columns.map(({name, kind, unit, description}) =>
    [h("code", {}, name), SAID.kinds[kind], unit || "–", description]));
}

/** Return where a table comes from: other tables, the report's last part, and a command. */
function origin(entry, {catalog, quarter, has_report: hasReport}, {go, openReport}) {
  const titled = (name) => catalog.find((other) => other.name === name);
  const sources = entry.sources.flatMap((name, i) => [i ? ", " : "",
    titled(name) ? leading(name, titled(name).title, go) : h("code", {}, name)]);
  return [h("p", {}, `${SAID.madeOf} `, sources),
    h("p", {}, `${SAID.traced} `,
      h("code", {}, SAID.command(entry.name, quarter))),
    hasReport ? button(SAID.lineage, () => openReport("#lineage")) : null].filter(Boolean);
}

/** Return the page of one table, with its tools. */
function tableOf(entry, payload, actions) {
  const {wanted, go, rowsOf} = actions;
  const of = wanted.span === ALL ? null : payload.quarter;
  const box = h("div", {"aria-busy": "true"}, h("p", {class: "note", role: "status"}, SAID.reading));
  const meaning = h("div");
  const ready = rowsOf(entry.name, of).then((table) => {
    fill(box, entry, table, actions);
    meaning.replaceChildren(meanings(table));
  });
  const choice = h("select", {name: "span",
    onchange: ({target}) => go({span: target.value || null, from: null})},
  [["", SAID.ofQuarter(payload.quarter)], [ALL, SAID.ofAll]].map(([value, words]) =>
    h("option", {value, selected: value === (wanted.span === ALL ? ALL : "")}, words)));
  const back = h("a", {href: "?page=data", onclick: (event) => {
    event.preventDefault();
    go({...START, table: null, span: null});
  }}, SAID.back);
  const before = [
    h("nav", {class: "back", "aria-label": SAID.tables}, back),
    card(entry.title, SAID.told(entry.description, entry.rows, entry.hidden, span(entry)),
      h("label", {class: "span"}, `${SAID.rowsShown} `, choice), box),
    fold(SAID.meanings, meaning),
    fold(SAID.origin, ...origin(entry, payload, actions)),
  ];
  return {before, after: [], ready};
}

export function data(payload, actions) {
  const entry = payload.catalog.find(({name}) => name === actions.wanted.table);
  return entry ? tableOf(entry, payload, actions)
    : {before: [listOf(payload, actions)], after: []};
}
