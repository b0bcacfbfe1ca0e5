// Trends: the key figures of every quarter, beneath the charts.

import {card, table} from "./dom.js";
import {cell, named, percent, score} from "./format.js";
import {fieldsOf} from "./fields.js";
import {counted, everyone, students} from "./home.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.trends;

export function trends(payload) {
  const {tables, history} = payload;
  const fields = [...fieldsOf(tables, "score"), ...fieldsOf(tables, "overall")];
  const columns = [{title: SAID.quarter}, {title: TEXTS.tables.students, kind: "number"},
    ...fields.map((field) => ({title: TEXTS.tables.mean(field.title), kind: "number"})),
    {title: TEXTS.tables.atRisk, kind: "number"}];
  const rows = history.toReversed().map((entry) => {
    const {means, risk} = everyone(entry);
    return [named(entry.quarter, payload), counted(students([risk, ...Object.values(means)])),
      ...fields.map((field) => {
        const row = means[field.name];
        return cell(row, score(row?.mean, field));
      }),
      cell(risk, percent(risk?.share))];
  });
  return {
    before: [],
    after: [card(SAID.figures, null, table(SAID.figures, columns, rows))],
  };
}
