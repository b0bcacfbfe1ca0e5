// Machine learning: score levels, score tiers, group gaps, and what models can tell.

import {fold, h, table} from "./dom.js";
import {cell, count, difference, percent, score} from "./format.js";
import {fieldOf, fieldsOf, titleOf} from "./fields.js";
import {calibration, explanations, fairness, modelCard, predictions} from "./models.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.ml;
const unique = (rows, column) => [...new Set(rows.map((row) => row[column]))];

function levels(tables) {
  const rows = tables.levels;
  const codes = unique(rows, "code").sort((a, b) => a - b);
  const label = (code) => rows.find((row) => row.code === code).level;
  const columns = [{title: TEXTS.tables.score},
    ...codes.map((c) => ({title: label(c), kind: "number"}))];
  return table(SAID.levelsCaption, columns,
    unique(rows, "score").map((name) => [titleOf(tables, name), ...codes.map((code) => {
      const row = rows.find((found) => found.score === name && found.code === code);
      return cell(row, percent(row?.share));
    })]));
}

function tiers(tables) {
  const rows = tables.tiers;
  const scored = unique(rows, "score");
  const columns = [{title: SAID.tier}, {title: TEXTS.tables.students, kind: "number"},
    {title: TEXTS.tables.share, kind: "number"},
    ...scored.map((name) => ({title: titleOf(tables, name), kind: "number"}))];
  return table(SAID.tiersCaption, columns, unique(rows, "tier").map((tier) => {
    const mine = rows.filter((row) => row.tier === tier);
    return [SAID.tierOf(tier), cell(mine[0], count(mine[0].n)),
      cell(mine[0], percent(mine[0].share)),
      ...scored.map((name) => {
        const row = mine.find((found) => found.score === name);
        return cell(row, score(row?.mean, fieldOf(tables, name)));
      })];
  }));
}

function gaps(tables) {
  const columns = [{title: TEXTS.tables.group}, {title: SAID.reference},
    {title: TEXTS.tables.score}, {title: SAID.gap, kind: "number"},
    {title: TEXTS.tables.interval, kind: "number"},
    {title: SAID.effect, kind: "number"}];
  return fieldsOf(tables, "dimension").flatMap((dimension) => {
    const rows = tables.gaps.filter((row) => row.dimension === dimension.name);
    if (!rows.length) return [];
    return [h("h3", {}, dimension.title), table(SAID.gapsBy(dimension.title), columns,
      rows.map((row) => {
        const field = fieldOf(tables, row.score);
        const interval = row.ci_low === null ? "–"
          : SAID.range(difference(row.ci_low, field), difference(row.ci_high, field));
        return [row.level, row.reference, titleOf(tables, row.score),
          cell(row, difference(row.gap, field)), cell(row, interval),
          cell(row, row.effect === null ? "–" : difference(row.effect, {minimum: 0, maximum: 1}))];
      }))];
  });
}

export function ml(payload, actions) {
  const {tables} = payload;
  const all = [
    tables.levels.length ? fold(SAID.levels, levels(tables)) : null,
    tables.tiers.length ? fold(SAID.tiers, tiers(tables)) : null,
    tables.gaps.length ? fold(SAID.gaps, ...gaps(tables)) : null,
    explanations(payload), calibration(payload), fairness(payload), modelCard(payload, actions),
  ];
  return {
    before: [h("p", {class: "callout", role: "note"},
      h("strong", {}, SAID.warning), SAID.warningNote), predictions(payload)],
    after: all.filter(Boolean),
  };
}
