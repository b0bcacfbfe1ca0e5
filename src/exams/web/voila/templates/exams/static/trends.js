// Trends: the key figures of every quarter, beneath the charts.

import {card, table} from "./dom.js";
import {cell, named, percent, score} from "./format.js";
import {fieldsOf} from "./fields.js";
import {counted, everyone, students} from "./home.js";

export function trends(payload) {
  const {tables, history} = payload;
  const fields = [...fieldsOf(tables, "score"), ...fieldsOf(tables, "overall")];
  const columns = [{title: "Quarter"}, {title: "Students", kind: "number"},
    ...fields.map((field) => ({title: `${field.title}, mean`, kind: "number"})),
    {title: "At risk", kind: "number"}];
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
    after: [card("Key figures by quarter", null, table("Key figures by quarter", columns, rows))],
  };
}
