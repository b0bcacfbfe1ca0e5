// Home: what this is, the key figures, and every group's results.

import {fold, h, table, tile, tiles} from "./dom.js";
import {cell, count, difference, moment, named, percent, range, score} from "./format.js";
import {fieldsOf} from "./fields.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.home;

/** Return the rows of all students: per score, and those at risk. */
export function everyone(tables) {
  const all = (rows) => (rows ?? []).filter((row) => row.dimension === "all");
  const means = Object.fromEntries(all(tables.mean_by_group).map((row) => [row.score, row]));
  return {means, risk: all(tables.at_risk_by_group)[0]};
}

/** Return how many students the rows of a group count: null if all of them are hidden. */
export function students(rows) {
  const counts = rows.filter(Boolean).map((row) => row.n).filter((n) => n !== null);
  return counts.length ? Math.max(...counts) : null;
}

/** Return a number of students, or that it is hidden. */
export const counted = (n) => cell({suppressed: n === null}, count(n));

/** Return the overall score, or the last where the contract has none, as the charts do. */
const headline = (tables) =>
  fieldsOf(tables, "overall")[0] ?? fieldsOf(tables, "score").at(-1);

/** Say how a figure has changed since the quarter published before; null if one is hidden. */
const change = (former, gap, show) =>
  former && gap !== null ? SAID.since(show(gap), former.name) : null;

const minus = (a, b) =>
  [a, b].some((x) => x === null || x === undefined) ? null : a - b;

function keyFigures(payload) {
  const {tables, history, quarter} = payload;
  const found = history.filter((entry) => entry.quarter < quarter).at(-1);
  const former = found && {...found, name: named(found.quarter, payload)};
  const {means, risk} = everyone(tables);
  const field = headline(tables);
  const mean = means[field?.name];
  const before = former && everyone(former);
  const number = ({risk: ofRisk, means: ofMeans}) => students([ofRisk, ...Object.values(ofMeans)]);
  const now = number({risk, means});
  const interval = mean && !mean.suppressed && mean.ci_low !== null
    ? SAID.interval(range(score(mean.ci_low, field), score(mean.ci_high, field))) : null;
  const riskRange = risk && !risk.suppressed && risk.ci_low !== null
    ? SAID.interval(range((100 * risk.ci_low).toFixed(1), percent(risk.ci_high))) : null;
  const points = (gap) => SAID.points(difference(100 * gap));
  return tiles(
    tile(TEXTS.tables.students, counted(now),
      lines(change(former, minus(now, before && number(before)), signed))),
    tile(field ? TEXTS.tables.mean(field.title) : SAID.mean,
      cell(mean, score(mean?.mean, field)),
      lines(change(former, minus(mean?.mean, before?.means[field?.name]?.mean),
        (gap) => difference(gap, field)), interval)),
    tile(TEXTS.tables.atRisk, cell(risk, percent(risk?.share)),
      lines(change(former, minus(risk?.share, before?.risk?.share), points), riskRange)),
    scores(tables, means),
  );
}

const signed = (n) => `${n === 0 ? "±" : n < 0 ? "−" : "+"}${count(Math.abs(n))}`;

const lines = (...texts) =>
  h("span", {}, texts.filter(Boolean).map((text) => h("span", {class: "line"}, text)));

/** Return a small scale per score: where its mean lies between lowest and highest. */
function scores(tables, means) {
  const rows = fieldsOf(tables, "score").map((field) => {
    const row = means[field.name];
    const at = row?.mean === null || !row ? null
      : (100 * (row.mean - field.minimum)) / (field.maximum - field.minimum);
    const scale = h("span", {class: "scale", "aria-hidden": "true"},
      at === null ? null : h("span", {class: "fill", style: `width: ${at}%`}));
    return h("li", {}, h("span", {class: "name"}, field.title), scale,
      h("span", {class: "mean"}, cell(row, score(row?.mean, field))));
  });
  return h("div", {class: "tile wide"}, h("dt", {}, SAID.byScore),
    h("dd", {}, h("ul", {class: "scores"}, rows)));
}

/** Return every published group in one table per dimension. */
function groups(tables) {
  const scored = [...fieldsOf(tables, "score"), ...fieldsOf(tables, "overall")];
  const columns = [{title: TEXTS.tables.group}, {title: TEXTS.tables.students, kind: "number"},
    ...scored.map((field) => ({title: field.title, kind: "number"})),
    {title: TEXTS.tables.atRisk, kind: "number"}];
  return fieldsOf(tables, "dimension").map((dimension) => {
    const of = (rows) => rows.filter((row) => row.dimension === dimension.name);
    const risks = of(tables.at_risk_by_group);
    const means = of(tables.mean_by_group);
    const levels = [...new Set([...risks, ...means].map((row) => row.level))];
    const rows = levels.map((level) => {
      const risk = risks.find((row) => row.level === level);
      const mine = means.filter((row) => row.level === level);
      return [level, counted(students([risk, ...mine])),
        ...scored.map((field) => {
          const row = mine.find((found) => found.score === field.name);
          return cell(row, score(row?.mean, field));
        }),
        cell(risk, percent(risk?.share))];
    });
    return [h("h3", {}, dimension.title), table(dimension.title, columns, rows)];
  });
}

/** Say of a publication that files were refused; null if none was. */
export function partial({refused: files}) {
  if (!files) return null;
  return h("p", {class: "callout bad", role: "note"},
    h("strong", {}, SAID.incomplete), SAID.refused(files));
}

export function home(payload, {openReport}) {
  const {tables, publication, quarter} = payload;
  const loaded = tables.delivery.reduce((sum, row) => sum + row.loaded, 0);
  const lead = h("p", {class: "lead"}, SAID.lead({
    quarter, records: loaded, files: tables.delivery.length,
    when: moment(publication.published_at), version: publication.version,
    edition: publication.edition, contract: publication.contract,
    contractVersion: publication.contract_version,
  }));
  const report = payload.has_report
    ? h("button", {type: "button", class: "action", onclick: () => openReport()}, SAID.report) : null;
  return {
    before: [partial(publication), h("div", {class: "intro"}, lead, report), keyFigures(payload)],
    after: [fold(SAID.groups, ...groups(tables).flat())],
  };
}

