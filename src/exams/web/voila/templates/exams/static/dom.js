// Elements and text. Values from the databases enter the page as text only: nothing here, and
// nothing that uses this, sets innerHTML.

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
 *  `columns`: [{title, number: bool}]; `rows`: lists of texts or nodes. */
export function table(caption, columns, rows) {
  const kind = (i) => (columns[i].number ? "number" : null);
  const head = columns.map((column, i) => h("th", {scope: "col", class: kind(i)}, column.title));
  const body = rows.map((cells) => h("tr", {}, cells.map((cell, i) =>
    i === 0 ? h("th", {scope: "row"}, cell) : h("td", {class: kind(i)}, cell))));
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
    h("table", {}, h("caption", {class: "unseen"}, caption),
      h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/** Return a part that is closed until asked for. */
export function fold(title, ...content) {
  return h("details", {class: "card fold"}, h("summary", {}, title), ...content);
}
