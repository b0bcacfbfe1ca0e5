// What the models of a quarter can tell, and what they cannot; its model card.

import {card, fold, h, table} from "./dom.js";
import {cell, count, percent} from "./format.js";
import {fieldsOf, titleOf} from "./fields.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.models;
const BASELINE = "baseline";
const AT_RISK = "at_risk";

const nameOf = (tables, target) =>
  (target === AT_RISK ? TEXTS.tables.atRisk : titleOf(tables, target));

const unique = (rows, column) => [...new Set(rows.map((row) => row[column]))];

const between = (low, high) =>
  (low === null || low === undefined ? "–" : TEXTS.ml.range(percent(low), percent(high)));

/** Return how much background tells of each score, what of that is sure, and the limits. */
export function predictions({tables}) {
  const gains = (tables.prediction ?? []).filter(({model, metric}) =>
    metric === "gain" && model !== BASELINE);
  const limits = h("ul", {class: "limits"}, SAID.limits.map((limit) => h("li", {}, limit)));
  if (!gains.length) return card(SAID.title, SAID.none, limits);
  const columns = [{title: SAID.target}, {title: SAID.best}, {title: SAID.gain, kind: "number"},
    {title: TEXTS.tables.interval, kind: "number"}, {title: SAID.left, kind: "number"},
    {title: SAID.sure}];
  const rows = unique(gains, "target").map((target) => {
    const best = gains.filter((row) => row.target === target)
      .sort((a, b) => (b.value ?? -1) - (a.value ?? -1))[0];
    return [nameOf(tables, target), best.model, cell(best, percent(best.value)),
      cell(best, between(best.ci_low, best.ci_high)), cell(best, percent(1 - best.value)),
      best.ci_low > 0 ? SAID.yes : SAID.no];
  });
  return card(SAID.title, SAID.note, table(SAID.title, columns, rows), limits);
}

/** Return what each dimension explains of each score. */
export function explanations({tables}) {
  const rows = tables.explanation ?? [];
  if (!rows.length) return null;
  const targets = unique(rows, "target");
  const columns = [{title: SAID.dimension},
    ...targets.map((target) => ({title: nameOf(tables, target), kind: "number"}))];
  const dimensions = fieldsOf(tables, "dimension");
  return fold(SAID.explained, h("p", {class: "note"}, SAID.explainedNote),
    table(SAID.explained, columns, dimensions.map(({name, title}) => [title,
      ...targets.map((target) => {
        const row = rows.find((found) => found.target === target && found.dimension === name);
        return cell(row, percent(row?.gain));
      })])));
}

/** Return predicted chances beside what came. */
export function calibration({tables}) {
  const rows = tables.calibration ?? [];
  if (!rows.length) return null;
  const columns = [SAID.predicted, TEXTS.tables.students, TEXTS.tables.atRisk, SAID.observed,
    TEXTS.tables.interval].map((title, i) => ({title, kind: i ? "number" : undefined}));
  return fold(SAID.calibration, h("p", {class: "note"}, SAID.calibrationNote),
    table(SAID.calibration, columns, rows.map((row) => [percent(row.predicted),
      cell(row, count(row.n)), cell(row, count(row.at_risk)), cell(row, percent(row.observed)),
      cell(row, between(row.ci_low, row.ci_high))])));
}

/** Return whom a rule that flags students would reach, miss, or flag in vain. */
export function fairness({tables}) {
  const rows = tables.fairness ?? [];
  if (!rows.length) return null;
  const columns = [TEXTS.tables.group, TEXTS.tables.students, SAID.flagged, SAID.missed, SAID.vain]
    .map((title, i) => ({title, kind: i ? "number" : undefined}));
  const parts = fieldsOf(tables, "dimension").flatMap(({name, title}) => {
    const mine = rows.filter((row) => row.dimension === name);
    return mine.length ? [h("h3", {}, title), table(SAID.fairnessBy(title), columns,
      mine.map((row) => [row.level, ...["n", "flagged", "missed", "false_alarms"].map((rate) =>
        cell(row, rate === "n" ? count(row.n) : percent(row[rate])))]))] : [];
  });
  return fold(SAID.fairness, h("p", {class: "note"}, SAID.fairnessNote), ...parts);
}

/** Return the model card: in place, asked for when it is opened, or as a link to `cardAddress`. */
export function modelCard({quarter, has_card: there}, {openCard, cardAddress}) {
  if (!there) return null;
  const title = SAID.card(quarter);
  if (cardAddress) {
    return h("p", {}, h("a", {href: cardAddress(quarter), target: "_blank"}, title));
  }
  const space = h("div", {}, SAID.coming);
  const box = fold(title, h("p", {class: "note"}, SAID.cardNote), space);
  box.addEventListener("toggle", () => {
    if (box.open && !space.querySelector("iframe"))
      openCard((html) => space.replaceChildren(sheet(html, title)));
  });
  return box;
}

/** Return a page in a frame of its height, in which no script runs. */
function sheet(html, title) {
  const frame = h("iframe", {class: "sheet", sandbox: "allow-same-origin", title});
  frame.addEventListener("load", () => {
    frame.style.height = `${frame.contentDocument.documentElement.scrollHeight}px`;
  });
  frame.srcdoc = html;
  return frame;
}
