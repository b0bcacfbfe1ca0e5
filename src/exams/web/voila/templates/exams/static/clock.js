// How things stand by the reader's clock: what a page without a kernel knows of it may have been
// written long ago.

import {day} from "./format.js";
import {TEXTS} from "./texts.js";

/** Return how a payload says that things stand (its `now`; null if it cannot tell), as of `clock`:
 *  a quarter that was in time when it was told may be late by now. */
export function standing({now, quarters: published}, clock = new Date()) {
  if (!now) return null;
  const today = dayIn(now.time_zone, clock);
  const isOverdue = ({quarter, due_by: due}) => due < today && !published.includes(quarter);
  const known = [...now.quarters, ...now.coming.filter(isOverdue)];
  const since = known.filter((entry) =>
    !entry.late && entry.state !== "withdrawn" && isOverdue(entry));
  const quarters = known.map((entry) => (since.includes(entry) ? {...entry, late: true} : entry));
  const trouble = since.map(({quarter, due_by: due}) =>
    ({quarter, kind: "late", stage: null, code: null, since: null,
      what: TEXTS.standing.notPublished(day(due))}));
  return {...now, quarters: quarters.sort(byQuarter), trouble: [...now.trouble, ...trouble]};
}

/** Has a time passed, as of `clock`? */
export const isPast = (time, clock = new Date()) => new Date(time) < clock;

const byQuarter = (a, b) => (a.quarter < b.quarter ? -1 : 1);

/** Return the day of a moment in a time zone, written 2026-10-30. */
function dayIn(timeZone, moment) {
  try {
    return moment.toLocaleDateString("sv-SE", {timeZone}); // Sweden writes days so
  } catch { // a zone that this browser does not know
    return moment.toISOString().slice(0, 10);
  }
}
