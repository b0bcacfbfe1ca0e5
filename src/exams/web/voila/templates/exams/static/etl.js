// ETL results: every record that was received was loaded or is in quarantine.

import {card, h, table, tile, tiles} from "./dom.js";
import {count, percent, words} from "./format.js";
import {titleOf} from "./fields.js";

const sum = (rows, column) => rows.reduce((total, row) => total + row[column], 0);

function reconciliation(deliveries) {
  const columns = [{title: "File"}, {title: "Received", number: true},
    {title: "Loaded", number: true}, {title: "Quarantined", number: true}, {title: "Adds up"},
    {title: "SHA-256"}];
  const line = (name, rows, fingerprint) => {
    const [received, loaded, quarantined] =
      ["received", "loaded", "quarantined"].map((column) => sum(rows, column));
    const right = received === loaded + quarantined;
    return [name, count(received), count(loaded), count(quarantined),
      h("span", {class: `state ${right ? "done" : "failed"}`}, right ? "✓ Yes" : "✕ No"),
      fingerprint ? h("code", {title: fingerprint}, fingerprint.slice(0, 12)) : ""];
  };
  const rows = deliveries.map((row) => line(row.file, [row], row.sha256));
  if (deliveries.length > 1) rows.push(line("All files", deliveries, ""));
  return table("Reconciliation by file", columns, rows);
}

/** Return the reasons for quarantine, the most frequent first, over all files. */
function quarantine(tables) {
  const totals = new Map();
  for (const row of tables.quarantine_count) {
    const key = JSON.stringify([row.column, row.reason]);
    totals.set(key, (totals.get(key) ?? 0) + row.records);
  }
  if (!totals.size) return h("p", {class: "empty"}, "No record is in quarantine.");
  const ordered = [...totals].sort((a, b) => b[1] - a[1]);
  const columns = [{title: "Column"}, {title: "Reason"}, {title: "Records", number: true},
    {title: "Compared"}];
  const rows = ordered.map(([key, records]) => {
    const [column, reason] = JSON.parse(key);
    const width = (100 * records) / ordered[0][1];
    return [column === "*" ? "Whole record" : titleOf(tables, column), words(reason),
      count(records), h("span", {class: "scale", "aria-hidden": "true"},
        h("span", {class: "fill", style: `width: ${width}%`}))];
  });
  return table("Quarantine by column and reason", columns, rows);
}

export function etl({tables}) {
  const rows = tables.delivery;
  const [received, loaded, quarantined] =
    ["received", "loaded", "quarantined"].map((column) => sum(rows, column));
  const share = (part) => (received ? `${percent(part / received)} of received` : "");
  return {
    before: [
      tiles(tile("Received", count(received), `${count(rows.length)} files`),
        tile("Loaded", count(loaded), share(loaded)),
        tile("Quarantined", count(quarantined), share(quarantined),
          quarantined ? "warn" : "")),
      card("Reconciliation", "Received = loaded + quarantined, file by file.",
        reconciliation(rows)),
      card("Quarantine", "A record with two reasons counts under both. Rejected values are "
        + "kept out of sight; correct the file and deliver it again.", quarantine(tables)),
    ],
    after: [],
  };
}
