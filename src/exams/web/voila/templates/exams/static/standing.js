// How things stand now: what is at work, what is wrong, what is late or waits, what comes next.

import {isPast} from "./clock.js";
import {card, coded, h, table} from "./dom.js";
import {day, duration, moment, words} from "./format.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.standing;

/** Return the quarters that are late. */
export const lateOf = (now) =>
  (now?.quarters ?? []).filter((entry) => entry.late && entry.state !== "withdrawn")
    .map((entry) => entry.quarter);

/** Return since when a page knows how things stand, where no kernel tells it; null otherwise. */
export const written = (now) => (now.written
  ? h("p", {class: "lead"}, SAID.written(moment(now.written))) : null);

/** Return what is at work: each stage with its cell, its time, and how long it took elsewhere. */
export function atWork({runs, as_of: asOf, written: still}) {
  const running = runs.filter((run) => run.state === "running");
  if (!running.length) return null;
  return card(SAID.atWork, SAID.atWorkNote, h("ul", {class: "problems"}, running.map((run) => {
    const {quarter, stage, started, cell, cells} = run;
    const label = `${quarter} ${words(stage)}`;
    const bar = cell ? h("progress", {value: cell - 1, max: cells, "aria-label": label}) : null;
    const so = [cell ? TEXTS.status.cell(cell, cells) : SAID.begins,
      still ? SAID.sinceWhen(moment(started)) : SAID.since(duration(started, asOf)),
      usual(runs, run), next(runs, run)].filter(Boolean);
    return h("li", {}, h("strong", {}, label), bar,
      h("p", {}, so.join(" · ")));
  })));
}

/** Say how long a stage took when it was last done, in whichever quarter. */
function usual(runs, {stage}) {
  const done = runs.filter((run) => run.stage === stage && run.state === "done" && run.started)
    .sort((a, b) => (a.ended < b.ended ? 1 : -1))[0];
  return done ? SAID.took(duration(done.started, done.ended), done.quarter) : null;
}

/** Name the stages of the quarter that come after the one at work. */
function next(runs, {quarter}) {
  const coming = runs.filter((run) => run.quarter === quarter && run.state === "pending");
  return coming.length ? SAID.then(coming.map((run) => words(run.stage)).join(", ")) : null;
}

/** Return what is wrong, in words, each with what its code means. */
export function trouble(now) {
  const {trouble: wrong, codes} = now;
  if (!wrong.length) return null;
  const newest = wrong.map(({since}) => since ?? "").sort().at(-1);
  return card(SAID.trouble, SAID.troubleNote, h("ul", {class: "problems"}, wrong.map((found) => {
    const {quarter, stage, kind, code, what, since} = found;
    const where = [quarter, stage ? words(stage) : null].filter(Boolean).join(" ");
    return h("li", {},
      h("strong", {}, where || SAID.schedule),
      h("span", {class: `state ${kind === "interrupted" ? kind : "failed"}`}, words(kind)),
      since ? h("time", {class: "when", datetime: since}, moment(since)) : null,
      wrong.length > 1 && since && since === newest && kind !== "late"
        ? h("span", {class: "when"}, SAID.newest) : null,
      h("p", {}, code ? h("code", {}, code) : null, " ",
        coded(what ?? TEXTS.status.noReason)),
      retry(now, found), meaning(codes[code], code));
  })));
}

function retry({quarters}, {quarter, kind}) {
  const entry = quarters.find((found) => found.quarter === quarter);
  if (kind !== "failed" || !entry?.failures) return null;
  const when = entry.retry ? moment(entry.retry) : null;
  return h("p", {class: "note"}, SAID.retry(entry.failures, when));
}

/** Return what the list of error codes says of a code. */
function meaning(said, code) {
  if (!said?.length) return null;
  return h("details", {class: "meaning"}, h("summary", {}, SAID.meaning(code)),
    table(SAID.meaning(code), [{title: SAID.said}, {title: SAID.remedy}],
      said.map((found) => [found.message, found.remedy].map((text) => h("span", {}, coded(text))))),
    h("p", {class: "note"}, SAID.everyCode));
}

/** Return the quarters that are not done, with what they wait for. */
export function waiting({quarters}) {
  const open = quarters.filter(({state, late}) =>
    late || !["done", "withdrawn"].includes(state));
  if (!open.length) return null;
  const columns = [{title: TEXTS.frame.quarter}, {title: SAID.state}, {title: SAID.files},
    {title: SAID.due}];
  return card(SAID.waiting, SAID.waitingNote, table(SAID.waiting, columns,
    open.toReversed().map((entry) => [entry.quarter, stateOf(entry), SAID.come(entry.files),
      h("span", {}, day(entry.due_by),
        entry.late ? h("span", {class: "state late"}, SAID.late) : null)])));
}

const stateOf = ({state, files}) => {
  const word = state === "pending" && files ? SAID.waits : words(state);
  return h("span", {class: `state ${state}`}, word);
};

/** Return when the schedule goes on, and a line on it. */
export function nextTick({schedule, written: still}) {
  if (schedule?.state !== "running") {
    return ["–", coded(schedule?.state === "dead" ? SAID.dead : SAID.noSchedule)];
  }
  if (still && isPast(schedule.next_tick)) return [moment(schedule.next_tick), SAID.passed];
  const last = schedule.last_tick ? SAID.lastTick(moment(schedule.last_tick)) : SAID.noTick;
  return [moment(schedule.next_tick), last];
}
