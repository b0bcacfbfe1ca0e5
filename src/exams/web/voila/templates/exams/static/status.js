// Process status: a grid of quarter by stage, and what went wrong.

import {standing} from "./clock.js";
import {card, coded, fold, h, tile, tiles} from "./dom.js";
import {brief, duration, moment, words} from "./format.js";
import {atWork, nextTick, trouble, waiting, written} from "./standing.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.status;
const RECENT = 8; // quarters that are always in sight
const MARKS = {
  done: "✓", failed: "✕", running: "▸", pending: "·", skipped: "–", interrupted: "!",
};

function details(run) {
  if (!run?.started) return [];
  if (run.state === "done" && run.reason) return [h("span", {class: "detail"}, coded(run.reason))];
  const parts = [];
  if (run.state === "running" && run.cell) parts.push(SAID.cell(run.cell, run.cells));
  if (run.ended) parts.push(duration(run.started, run.ended));
  const rows = run.rows_out ?? run.rows_in;
  if (rows !== null && rows !== undefined) parts.push(SAID.rows(rows));
  return [
    h("span", {class: "detail"}, parts.join(" · ")),
    h("span", {class: "detail"}, h("time", {datetime: run.started}, brief(run.started))),
  ];
}

function gridCell(stage, run) {
  const state = run?.state ?? "pending";
  return h("td", {role: "cell", "data-label": words(stage), class: "stage"},
    h("span", {class: `state ${state}`},
      h("span", {class: "mark", "aria-hidden": "true"}, MARKS[state] ?? "·"), words(state)),
    ...details(run));
}

function grid(quarters, stages, find) {
  // The roles keep it a table for screen readers where the style turns rows into cards.
  const head = [h("th", {role: "columnheader", scope: "col"}, SAID.quarter),
    ...stages.map((stage) => h("th", {role: "columnheader", scope: "col"}, words(stage)))];
  const rows = quarters.map((quarter) => h("tr", {role: "row"},
    h("th", {role: "rowheader", scope: "row"}, quarter),
    stages.map((stage) => gridCell(stage, find(quarter, stage)))));
  return h("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": SAID.stages},
    h("table", {role: "table", class: "grid"},
      h("caption", {class: "unseen"}, SAID.caption),
      h("thead", {role: "rowgroup"}, h("tr", {role: "row"}, head)),
      h("tbody", {role: "rowgroup"}, rows)));
}

/** Return the grid of recent quarters and of those where not all is done, and the others folded. */
function grids(quarters, stages, find) {
  if (!quarters.length) return [h("p", {class: "empty"}, SAID.none)];
  const past = quarters.slice(RECENT).filter((quarter) =>
    stages.every((stage) => find(quarter, stage)?.state === "done"));
  const shown = quarters.filter((quarter) => !past.includes(quarter));
  return [
    card(SAID.grid, SAID.gridNote, grid(shown, stages, find)),
    past.length ? fold(SAID.past(past.length), grid(past, stages, find)) : null,
  ];
}

export function status(payload) {
  const {stages, quarter, quarters} = payload;
  const now = standing(payload);
  if (!now) return {before: [h("p", {class: "empty"}, SAID.unknown)], after: []};
  const {runs} = now;
  const find = (q, stage) => runs.find((run) => run.quarter === q && run.stage === stage);
  const seen = [...new Set([...runs.map((run) => run.quarter), ...quarters])].sort().reverse();
  const chosen = quarter ?? seen[0];
  const mine = runs.filter((run) => run.quarter === chosen);
  const done = mine.filter((run) => run.state === "done");
  const ended = done.map((run) => run.ended).filter(Boolean).sort().at(-1);
  const seconds = done.reduce((sum, run) => sum + (new Date(run.ended) - new Date(run.started)), 0);
  const failed = runs.filter((run) => run.state === "failed").length;
  const running = runs.filter((run) => run.state === "running");
  const [tick, tickNote] = nextTick(now);
  return {
    before: [
      written(now),
      tiles(
        tile(SAID.done(chosen), SAID.doneOf(done.length, stages.length),
          [ended ? SAID.ended(moment(ended)) : SAID.noneEnded,
            done.length ? SAID.time(duration(0, seconds)) : null].filter(Boolean).join(" · ")),
        tile(SAID.running, String(running.length),
          running.map((run) => `${run.quarter} ${words(run.stage)}`).join(", ") || SAID.everywhere),
        tile(SAID.failed, String(failed), failed ? SAID.reasonsBelow : SAID.everywhere,
          failed ? "bad" : ""),
        tile(SAID.nextTick, tick, tickNote, "moment")),
      atWork(now),
      trouble(now),
      waiting(now),
      ...grids(seen, stages, find),
    ],
    after: [],
  };
}
