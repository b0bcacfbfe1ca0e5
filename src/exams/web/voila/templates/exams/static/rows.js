// Rows of a published table: searched, sorted and as text. Nothing here touches the page.

import {TEXTS} from "./texts.js";

const number = new Intl.NumberFormat(TEXTS.locale, {maximumFractionDigits: 4});

/** Return where a table has its mark of hidden rows; -1 if it has none. */
const markOf = ({columns}) => columns.findIndex(({name}) => name === "suppressed");

/** Is a cell hidden to protect students? */
const isHidden = (table, row, i) =>
  row[i] === null && row[markOf(table)] === 1 && !table.columns[i].key;

/** Return a cell as a file has it: in full, or that it is hidden. */
export const valueOf = (table, row, i) =>
  (isHidden(table, row, i) ? TEXTS.format.hidden : row[i]);

/** Return a cell as people read it. */
export function textOf(table, row, i) {
  if (isHidden(table, row, i)) return TEXTS.format.hidden;
  if (row[i] === null) return "–";
  return typeof row[i] === "number" ? number.format(row[i]) : row[i];
}

const searched = new WeakMap(); // by row: its texts, as they are searched

function textsOf(table, row) {
  if (!searched.has(row)) {
    const texts = row.map((_, i) => textOf(table, row, i));
    searched.set(row, texts.join("\n").toLocaleLowerCase(TEXTS.locale));
  }
  return searched.get(row);
}

/** Return the rows that hold every word of `search`, in any column, in capitals or not. */
export function found(table, search) {
  const words = search.toLocaleLowerCase(TEXTS.locale).split(/\s+/).filter(Boolean);
  if (!words.length) return table.rows;
  return table.rows.filter((row) => {
    const texts = textsOf(table, row);
    return words.every((word) => texts.includes(word));
  });
}

/** Return the order that an address names, `-n` say: {by: a column's place, descending}; `by` is
 *  null where it names no column. */
export function orderOf({columns}, sort) {
  const descending = sort?.startsWith("-") ?? false;
  const name = descending ? sort.slice(1) : sort;
  const by = columns.findIndex((column) => column.name === name);
  return {by: by < 0 ? null : by, descending};
}

/** Return where the `length` rows begin among which is the one that an address names, from 1 on;
 *  where it names none, the first or the last ones. */
export function startOf(rows, from, length) {
  const last = Math.max(0, rows.length - 1);
  const row = Math.min(Math.max(Math.trunc(Number(from)) - 1 || 0, 0), last);
  return row - (row % length);
}

/** Return rows in an order; hidden and missing values come last in any. */
export function sorted(rows, {by, descending}) {
  if (by === null) return rows;
  const way = descending ? -1 : 1;
  const {compare} = new Intl.Collator(TEXTS.locale, {numeric: true});
  return rows.toSorted((a, b) => {
    const [x, y] = [a[by], b[by]];
    if (x === null || y === null) return (x === null) - (y === null);
    return way * (typeof x === "number" ? x - y : compare(x, y));
  });
}
