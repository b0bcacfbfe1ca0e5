// What a page may ask for: other rows, the report, another choice in the address.

/** Return what a page may do; `remember` and `render` do what they say to `app`. */
export function actionsOf(app, remember, render) {
  const keep = (choice) => {
    Object.assign(app.wanted, choice);
    remember(app);
  };
  return {
    wanted: app.wanted,
    keep, // in the address
    go: (choice) => {
      keep(choice);
      render(app);
    },
    openReport: (anchor = "") => {
      app.anchor = anchor;
      app.ask({report: app.payload.quarter}, anchor);
    },
    openCard: (show) => {
      app.showCard = show;
      app.ask({card: app.payload.quarter});
    },
    cardAddress: app.cardAddress,
    rowsOf: (table, of) => rowsOf(app, table, of),
  };
}

/** Return a promise of a published table, of a quarter or (null) of all, asked for once. */
function rowsOf(app, table, of) {
  const {stamp} = app.payload;
  app.asked = app.asked.filter((asked) => asked.stamp === stamp);
  const before = app.asked.find((asked) => asked.table === table && asked.of === of);
  if (before) return before.promise;
  const asked = {table, of, stamp};
  asked.promise = new Promise((done) => { asked.done = done; });
  app.asked.push(asked);
  app.ask({table, of});
  return asked.promise;
}

/** Give a table to those who asked for it. */
export function give(app, table) {
  for (const asked of app.asked) {
    if (asked.table === table.name && asked.of === table.quarter) asked.done(table);
  }
}

/** Open a report in a tab of its own; it is one file that needs nothing else. */
export function showReport(app, html) {
  const address = URL.createObjectURL(new Blob([html], {type: "text/html"}));
  const place = address + (app.anchor ?? "");
  if (!open(place, "_blank")) location.assign(place);
}
