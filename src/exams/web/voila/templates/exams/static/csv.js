// Tables as CSV (RFC 4180) that a spreadsheet opens as what they are: text, never a formula.

const NUMBER = /^-?[0-9]+([.,][0-9]+)?$/;
const LEADING = /^[=+\-@\t\r]/; // as in exams.spreadsheet
const QUOTE = "\x22";
const MARK = "\ufeff"; // by which spreadsheets see that it is UTF-8

/** Return a cell that no spreadsheet takes for a formula: an apostrophe goes before it. */
const safe = (text) => (LEADING.test(text) && !NUMBER.test(text) ? `'${text}` : text);

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? safe(value) : String(value);
  if (!/[\x22,\r\n]/.test(text)) return text;
  return QUOTE + text.replaceAll(QUOTE, QUOTE + QUOTE) + QUOTE;
}

/** Return a CSV text; `titles` are its first line, `rows` lists of numbers, texts and nulls. */
export const csv = (titles, rows) =>
  MARK + [titles, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
