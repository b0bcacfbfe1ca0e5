// ETL results: every record that was received was loaded or is in quarantine.

import {card, h, longTable, tile, tiles} from "./dom.js";
import {count, percent, several, words} from "./format.js";
import {titleOf} from "./fields.js";

const FATES = ["received", "loaded", "quarantined", "resolved"];

const sum = (rows, column) => rows.reduce((total, row) => total + (row[column] ?? 0), 0);

function reconciliation(deliveries) {
  const columns = [{title: "File"}, ...FATES.map((fate) => ({title: words(fate), kind: "number"})),
    {title: "Adds up"}, {title: "SHA-256", kind: "extra"}];
  const line = (name, rows, fingerprint) => {
    const [received, ...fates] = FATES.map((column) => sum(rows, column));
    const right = received === fates.reduce((total, records) => total + records, 0);
    return [name, count(received), ...fates.map(count),
      h("span", {class: `state ${right ? "done" : "failed"}`}, right ? "✓ Yes" : "✕ No"),
      fingerprint ? h("code", {title: fingerprint}, fingerprint.slice(0, 12)) : ""];
  };
  return longTable("Reconciliation by file", columns,
    deliveries.map((row) => line(row.file, [row], row.sha256)),
    deliveries.length > 1 ? line("All files", deliveries, "") : null);
}

/** Return a code in words, with its meaning below. */
const explained = (code, ...meaning) =>
  h("span", {}, words(code), h("span", {class: "detail"}, meaning.filter(Boolean).join(" ")));

/** Return counts by column and code over all files, the most frequent first. */
function counted(tables, name, code, none) {
  const totals = new Map();
  for (const row of tables[name]) {
    const key = JSON.stringify([row.column, row[code], row.meaning]);
    totals.set(key, (totals.get(key) ?? 0) + row.records);
  }
  if (!totals.size) return h("p", {class: "empty"}, none);
  const ordered = [...totals].sort((a, b) => b[1] - a[1]);
  const columns = [{title: "Column"}, {title: words(code)}, {title: "Records", kind: "number"},
    {title: "Compared", kind: "extra"}];
  const rows = ordered.map(([key, records]) => {
    const [column, found, meaning] = JSON.parse(key);
    const width = (100 * records) / ordered[0][1];
    return [column === "*" ? "Whole record" : titleOf(tables, column), explained(found, meaning),
      count(records), h("span", {class: "scale", "aria-hidden": "true"},
        h("span", {class: "fill", style: `width: ${width}%`}))];
  });
  return longTable(`Records by column and ${code}`, columns, rows);
}

/** Return what has changed in fields, columns and scales since the quarter `former`. */
function changes(tables, former) {
  const rows = tables.schema_change;
  if (!former) return h("p", {class: "empty"}, "There is no quarter before.");
  if (!rows.length) return h("p", {class: "empty"}, "Nothing has changed.");
  return longTable("Changes of form", [{title: "Field or column"}, {title: "Change"}],
    rows.map(({subject, change, meaning, detail}) =>
      [subject === "*" ? "Others" : titleOf(tables, subject), explained(change, meaning, detail)]));
}

export function etl({tables, history, quarter}) {
  const rows = tables.delivery;
  const [received, loaded, quarantined, resolved] = FATES.map((column) => sum(rows, column));
  const share = (part) => (received ? `${percent(part / received)} of received` : "");
  const former = tables.schema_change[0]?.former
    ?? history.filter((entry) => entry.quarter < quarter).at(-1)?.quarter;
  return {
    before: [
      tiles(tile("Received", count(received), `in ${several(rows.length, "file")}`),
        tile("Loaded", count(loaded), share(loaded)),
        tile("Quarantined", count(quarantined), share(quarantined), quarantined ? "warn" : ""),
        tile("Resolved", count(resolved), "Delivered again, corrected")),
    ],
    after: [
      card("Reconciliation", "Received = loaded + quarantined + resolved, file by file. A resolved "
        + "record has left the quarantine: another file has it again, and counts it.",
        reconciliation(rows)),
      card("Quarantine", "Why records were not loaded; one with two reasons counts under both. "
        + "Rejected values are kept out of sight.",
        counted(tables, "quarantine_count", "reason", "No record is in quarantine.")),
      card("Repairs", "What was changed in values so that they could be loaded: only what the "
        + "rules declare, so that no value gets another meaning.",
        counted(tables, "repair_count", "repair", "No loaded record was repaired.")),
      card("Changes of form",
        `Fields, columns, levels and scales, compared with ${former ?? "the quarter before"}.`,
        changes(tables, former)),
    ],
  };
}
