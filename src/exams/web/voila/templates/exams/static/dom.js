// Elements and text. Values from the databases enter the page as text only: nothing here, and
// nothing that uses this, sets innerHTML.

import {TEXTS} from "./texts.js";

const SHORT = 12; // rows

/** Return a new element; `attributes` are set as such, `children` are nodes or texts. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a text as nodes: what stands between backticks is code. */
export const coded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));

/** Return a card: a titled part of a page. */
export function card(title, note, ...content) {
  return h("section", {class: "card"},
    h("h2", {}, title), note ? h("p", {class: "note"}, note) : null, ...content);
}

/** Return a key figure: what it is, how much, and a line to judge it by. */
export function tile(label, value, note = "", kind = "") {
  return h("div", {class: `tile ${kind}`},
    h("dt", {}, label), h("dd", {class: "value"}, value), h("dd", {class: "note"}, note));
}

/** Return a row of key figures. */
export function tiles(...children) {
  return h("dl", {class: "tiles"}, ...children);
}

/** Return a table in a box that scrolls sideways; the first cell of a row heads it.
 *  `columns`: [{title, kind}], of kind "number", or "extra" for what a phone has no room for;
 *  `rows`: lists of texts or nodes; `total`: one more such list, for the foot. */
export function table(caption, columns, rows, total = null) {
  const head = columns.map(({title, kind}) => h("th", {scope: "col", class: kind}, title));
  const line = (cells) => h("tr", {}, cells.map((cell, i) =>
    i === 0 ? h("th", {scope: "row"}, cell) : h("td", {class: columns[i].kind}, cell)));
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
    h("table", {}, h("caption", {class: "unseen"}, caption),
      h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map(line)),
      total ? h("tfoot", {}, line(total)) : null));
}

/** Return a table that shows its first rows only, until asked for the others. */
export function longTable(caption, columns, rows, total = null) {
  const box = table(caption, columns, rows, total);
  if (rows.length <= SHORT + 3) return box; // not worth a click
  const others = [...box.querySelectorAll("tbody tr")].slice(SHORT);
  others.forEach((row) => { row.hidden = true; });
  const more = h("button", {type: "button", class: "action", onclick: () => {
    others.forEach((row) => { row.hidden = false; });
    box.dataset.whole = "";
    more.remove();
    box.focus();
  }}, TEXTS.tables.all(rows.length));
  return h("div", {}, box, more);
}

/** Return a part that is closed until asked for. */
export function fold(title, ...content) {
  return h("details", {class: "card fold"}, h("summary", {}, h("h2", {}, title)), ...content);
}
