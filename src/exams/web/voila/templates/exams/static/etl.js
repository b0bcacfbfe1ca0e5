// ETL results: every record that was received was loaded or is in quarantine.

import {card, h, table, tile, tiles} from "./dom.js";
import {count, percent, words} from "./format.js";
import {titleOf} from "./fields.js";

const FATES = ["received", "loaded", "quarantined", "resolved"];

const sum = (rows, column) => rows.reduce((total, row) => total + (row[column] ?? 0), 0);

function reconciliation(deliveries) {
  const columns = [{title: "File"}, {title: "Received", number: true},
    {title: "Loaded", number: true}, {title: "Quarantined", number: true},
    {title: "Resolved", number: true}, {title: "Adds up"}, {title: "SHA-256"}];
  const line = (name, rows, fingerprint) => {
    const [received, ...fates] = FATES.map((column) => sum(rows, column));
    const right = received === fates.reduce((total, records) => total + records, 0);
    return [name, count(received), ...fates.map(count),
      h("span", {class: `state ${right ? "done" : "failed"}`}, right ? "✓ Yes" : "✕ No"),
      fingerprint ? h("code", {title: fingerprint}, fingerprint.slice(0, 12)) : ""];
  };
  const rows = deliveries.map((row) => line(row.file, [row], row.sha256));
  if (deliveries.length > 1) rows.push(line("All files", deliveries, ""));
  return table("Reconciliation by file", columns, rows);
}

/** Return counts by column and code over all files, the most frequent first. */
function counted(tables, name, code, title, none) {
  const totals = new Map();
  for (const row of tables[name]) {
    const key = JSON.stringify([row.column, row[code]]);
    totals.set(key, (totals.get(key) ?? 0) + row.records);
  }
  if (!totals.size) return h("p", {class: "empty"}, none);
  const ordered = [...totals].sort((a, b) => b[1] - a[1]);
  const columns = [{title: "Column"}, {title}, {title: "Records", number: true},
    {title: "Compared"}];
  const rows = ordered.map(([key, records]) => {
    const [column, found] = JSON.parse(key);
    const width = (100 * records) / ordered[0][1];
    return [column === "*" ? "Whole record" : titleOf(tables, column), words(found),
      count(records), h("span", {class: "scale", "aria-hidden": "true"},
        h("span", {class: "fill", style: `width: ${width}%`}))];
  });
  return table(`${title} by column`, columns, rows);
}

/** Return what has changed in fields, columns and scales since the quarter before. */
function changes(rows) {
  if (!rows.length) return h("p", {class: "empty"}, "No change since the quarter before.");
  const columns = [{title: "Field or column"}, {title: "Change"}, {title: "In words"}];
  return table("Changes of the schema", columns,
    rows.map((row) => [row.subject, words(row.change), row.detail]));
}

export function etl({tables}) {
  const rows = tables.delivery;
  const [received, loaded, quarantined, resolved] = FATES.map((column) => sum(rows, column));
  const share = (part) => (received ? `${percent(part / received)} of received` : "");
  return {
    before: [
      tiles(tile("Received", count(received), `${count(rows.length)} files`),
        tile("Loaded", count(loaded), share(loaded)),
        tile("Quarantined", count(quarantined), share(quarantined),
          quarantined ? "warn" : ""),
        resolved ? tile("Resolved", count(resolved), "delivered again, corrected") : null),
      card("Reconciliation", "Received = loaded + quarantined + resolved, file by file. Resolved "
        + "records were in quarantine and have been delivered again, corrected.",
        reconciliation(rows)),
      card("Quarantine", "A record with two reasons counts under both. Rejected values are "
        + "kept out of sight; correct the records and deliver them again.",
        counted(tables, "quarantine_count", "reason", "Reason", "No record is in quarantine.")),
      card("Repairs", "Loaded records that were repaired as the contract and the rules declare.",
        counted(tables, "repair_count", "repair", "Repair", "No loaded record was repaired.")),
      card("Changes", "Fields, columns and scales, compared with the quarter before.",
        changes(tables.schema_change)),
    ],
    after: [],
  };
}
