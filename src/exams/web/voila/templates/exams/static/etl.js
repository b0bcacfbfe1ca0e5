// ETL results: every record that was received was loaded or is in quarantine.

import {card, coded, h, longTable, tile, tiles} from "./dom.js";
import {count, percent, words} from "./format.js";
import {titleOf} from "./fields.js";
import {partial} from "./home.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.etl;
const FATES = ["received", "loaded", "quarantined", "resolved"];

const sum = (rows, column) => rows.reduce((total, row) => total + (row[column] ?? 0), 0);

function reconciliation(deliveries) {
  const columns = [{title: SAID.file},
    ...FATES.map((fate) => ({title: SAID[fate], kind: "number"})),
    {title: SAID.addsUp}, {title: SAID.sha, kind: "extra"}];
  const line = (name, rows, fingerprint) => {
    const [received, ...fates] = FATES.map((column) => sum(rows, column));
    const right = received === fates.reduce((total, records) => total + records, 0);
    return [name, count(received), ...fates.map(count),
      h("span", {class: `state ${right ? "done" : "failed"}`}, right ? SAID.yes : SAID.no),
      fingerprint ? h("code", {title: fingerprint}, fingerprint.slice(0, 12)) : ""];
  };
  return longTable(SAID.byFile, columns,
    deliveries.map((row) => line(row.file, [row], row.sha256)),
    deliveries.length > 1 ? line(SAID.allFiles, deliveries, "") : null);
}

/** Return a code in words, with its meaning below. */
const explained = (code, ...meaning) =>
  h("span", {}, words(code), h("span", {class: "detail"}, meaning.filter(Boolean).join(" ")));

/** Return counts by column and code over all files, the most frequent first. */
function counted(tables, name, code, none, caption) {
  const totals = new Map();
  for (const row of tables[name]) {
    const key = JSON.stringify([row.column, row[code], row.meaning]);
    const {records, files} = totals.get(key) ?? {records: 0, files: []};
    totals.set(key, {records: records + row.records, files: [...files, row.file]});
  }
  if (!totals.size) return h("p", {class: "empty"}, none);
  const ordered = [...totals].sort((a, b) => b[1].records - a[1].records);
  const columns = [{title: SAID.column}, {title: SAID[code]}, {title: SAID.files, kind: "extra"},
    {title: SAID.records, kind: "number"}, {title: SAID.compared, kind: "extra"}];
  const rows = ordered.map(([key, {records, files}]) => {
    const [column, found, meaning] = JSON.parse(key);
    const width = (100 * records) / ordered[0][1].records;
    return [column === "*" ? SAID.wholeRecord : titleOf(tables, column), explained(found, meaning),
      named(files), count(records), h("span", {class: "scale", "aria-hidden": "true"},
        h("span", {class: "fill", style: `width: ${width}%`}))];
  });
  return longTable(caption, columns, rows);
}

/** Name files, or count them where they are many. */
const named = (files) => (files.length > 2 ? SAID.inFiles(files.length) : files.join(", "));

/** Return what has changed in fields, columns and scales since the quarter `former`. */
function changes(tables, former) {
  const rows = tables.schema_change;
  if (!former) return h("p", {class: "empty"}, SAID.noFormer);
  if (!rows.length) return h("p", {class: "empty"}, SAID.noChange);
  return longTable(SAID.changes, [{title: SAID.column}, {title: SAID.change}],
    rows.map(({subject, change, meaning, detail}) => [
      subject === "*" ? SAID.others : titleOf(tables, subject),
      explained(change, meaning, detail),
    ]));
}

export function etl({tables, history, quarter, publication}) {
  const rows = tables.delivery;
  const [received, loaded, quarantined, resolved] = FATES.map((column) => sum(rows, column));
  const share = (part) => (received ? SAID.ofReceived(percent(part / received)) : "");
  const former = tables.schema_change[0]?.former
    ?? history.filter((entry) => entry.quarter < quarter).at(-1)?.quarter;
  return {
    before: [
      partial(publication),
      tiles(tile(SAID.received, count(received), SAID.inFiles(rows.length)),
        tile(SAID.loaded, count(loaded), share(loaded)),
        tile(SAID.quarantined, count(quarantined), share(quarantined), quarantined ? "warn" : ""),
        tile(SAID.resolved, count(resolved), SAID.resolvedNote)),
    ],
    after: [
      card(SAID.reconciliation, SAID.reconciliationNote, reconciliation(rows)),
      card(SAID.quarantine, coded(SAID.quarantineNote(quarter)),
        counted(tables, "quarantine_count", "reason", SAID.noQuarantine, SAID.byReason)),
      card(SAID.repairs, SAID.repairsNote,
        counted(tables, "repair_count", "repair", SAID.noRepair, SAID.byRepair)),
      card(SAID.changes, SAID.changesNote(former), changes(tables, former)),
    ],
  };
}
