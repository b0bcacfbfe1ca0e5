// Machine learning: score levels, score tiers and group gaps.

import {fold, h, table} from "./dom.js";
import {cell, count, difference, percent, score} from "./format.js";
import {fieldOf, fieldsOf, titleOf} from "./fields.js";

const unique = (rows, column) => [...new Set(rows.map((row) => row[column]))];

function levels(tables) {
  const rows = tables.levels;
  const codes = unique(rows, "code").sort((a, b) => a - b);
  const label = (code) => rows.find((row) => row.code === code).level;
  const columns = [{title: "Score"}, ...codes.map((c) => ({title: label(c), kind: "number"}))];
  return table("Share of students by score level", columns,
    unique(rows, "score").map((name) => [titleOf(tables, name), ...codes.map((code) => {
      const row = rows.find((found) => found.score === name && found.code === code);
      return cell(row, percent(row?.share));
    })]));
}

function tiers(tables) {
  const rows = tables.tiers;
  const scored = unique(rows, "score");
  const columns = [{title: "Tier"}, {title: "Students", kind: "number"},
    {title: "Share", kind: "number"},
    ...scored.map((name) => ({title: titleOf(tables, name), kind: "number"}))];
  return table("Score tiers", columns, unique(rows, "tier").map((tier) => {
    const mine = rows.filter((row) => row.tier === tier);
    return [`Tier ${tier}`, cell(mine[0], count(mine[0].n)), cell(mine[0], percent(mine[0].share)),
      ...scored.map((name) => {
        const row = mine.find((found) => found.score === name);
        return cell(row, score(row?.mean, fieldOf(tables, name)));
      })];
  }));
}

function gaps(tables) {
  const columns = [{title: "Group"}, {title: "Compared with"}, {title: "Score"},
    {title: "Gap", kind: "number"}, {title: "95 % interval", kind: "number"},
    {title: "Effect size g", kind: "number"}];
  return fieldsOf(tables, "dimension").flatMap((dimension) => {
    const rows = tables.gaps.filter((row) => row.dimension === dimension.name);
    if (!rows.length) return [];
    return [h("h3", {}, dimension.title), table(`Gaps by ${dimension.title}`, columns,
      rows.map((row) => {
        const field = fieldOf(tables, row.score);
        const interval = row.ci_low === null ? "–"
          : `${difference(row.ci_low, field)} to ${difference(row.ci_high, field)}`;
        return [row.level, row.reference, titleOf(tables, row.score),
          cell(row, difference(row.gap, field)), cell(row, interval),
          cell(row, row.effect === null ? "–" : difference(row.effect, {minimum: 0, maximum: 1}))];
      }))];
  });
}

export function ml({tables}) {
  const all = [
    tables.levels.length ? fold("Score levels as a table", levels(tables)) : null,
    tables.tiers.length ? fold("Score tiers as a table", tiers(tables)) : null,
    tables.gaps.length ? fold("Group gaps as tables", ...gaps(tables)) : null,
  ];
  return {
    before: [h("p", {class: "callout", role: "note"},
      h("strong", {}, "About groups, never about a person. "),
      "These figures describe how groups of students scored. They say nothing certain about "
      + "any one student and must not be used for a decision on a person.")],
    after: all.filter(Boolean),
  };
}
