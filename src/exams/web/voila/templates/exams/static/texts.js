// Every fixed text of the dashboard and of the charts, by page; what the contract and the
// databases say comes from there. To speak another language, translate this file alone:
// a text with values in it is a function of them, numbers in it written by `counted`.
// Imports nothing.

const LOCALE = "en-GB"; // how numbers and dates are written

const counted = (n, one, several) => `${n.toLocaleString(LOCALE)} ${n === 1 ? one : several}`;

export const TEXTS = {
  locale: LOCALE,

  // Around every page
  frame: {
    pages: "Pages",
    skip: "Skip to the figures",
    home: "Home",
    status: "Process status",
    etl: "ETL results",
    ml: "Machine learning",
    trends: "Trends",
    data: "Data",
    quarter: "Quarter",
    incomplete: "Incomplete",
    marked: (quarter) => `${quarter} (incomplete)`,
    footer: "Small groups are hidden to protect students; “hidden” is never zero.",
    asOf: (when) => `As of ${when}`,
    nothingYet: "Nothing published yet",
    lost: "connection lost; it comes back by itself",
    late: (quarters) =>
      (quarters.length === 1 ? `${quarters[0]} is late` : `${quarters.length} quarters are late`),
    empty: "Nothing is published yet. `make run` builds what was delivered, and the figures appear "
      + "here by themselves.",
    notStarted: "The dashboard could not be started; see the server's log.",
  },

  charts: {
    none: "No figure can be shown here: too few students, or none.",
    notDrawn: (reason) => `This chart cannot be drawn: ${reason}`,
    figures: "Figures of this chart",
    figuresOf: (chart) => `Figures: ${chart}`,
    save: "Save",
    saveOf: (title) => `Save: ${title}`,
    saveAs: (kind, title) => `Save as ${kind}: ${title}`,
    source: ({contract, quarter, version, edition, when}) =>
      `Source: ${contract}, ${quarter}, version ${version}, ${edition}, published ${when}. `
      + "Small groups are hidden.",
  },

  filters: {
    filter: "Filter",
    score: "Subject",
    dimension: "Dimension",
    all: {score: "All of them", dimension: "All of them"},
    free: (titles) => `Not filtered by ${titles}.`,
  },

  tables: {
    all: (n) => `Show all ${n.toLocaleString(LOCALE)}`,
    group: "Group",
    students: "Students",
    share: "Share",
    score: "Score",
    atRisk: "At risk",
    mean: (title) => `${title}, mean`,
    interval: "95 % interval",
  },

  home: {
    lead: ({quarter, records, files, when, version, edition, contract, contractVersion}) =>
      `Results of ${quarter}: ${counted(records, "record", "records")} from `
      + `${counted(files, "file", "files")}, published ${when}, version ${version}, ${edition}. `
      + `Contract: ${contract}, version ${contractVersion}. `
      + "Small groups are hidden, so that no student can be recognised.",
    report: "Open the report",
    incomplete: "Incomplete. ",
    refused: (files) =>
      `${counted(files, "file", "files")} of this quarter ${files === 1 ? "was" : "were"} refused `
      + `and left out: all figures lack ${files === 1 ? "its" : "their"} records.`,
    mean: "Mean",
    since: (change, quarter) => `${change} since ${quarter}`,
    points: (change) => `${change} points`,
    interval: (range) => `95 % interval ${range}`,
    byScore: "Mean by score",
    groups: "All groups as tables",
  },

  status: {
    rows: (n) => `${n.toLocaleString(LOCALE)} rows`,
    cell: (cell, cells) => `Cell ${cell} of ${cells}`,
    quarter: "Quarter",
    stages: "Stages",
    caption: "State of every stage of every quarter",
    noReason: "No reason was recorded.",
    done: (quarter) => (quarter ? `Stages done, ${quarter}` : "Stages done"),
    doneOf: (done, all) => `${done} of ${all}`,
    ended: (when) => `Last ended ${when}`,
    noneEnded: "None has ended yet",
    time: (taken) => `${taken} in all`,
    nextTick: "Next tick",
    running: "Running now",
    failed: "Failed",
    everywhere: "In all quarters",
    reasonsBelow: "The reasons are below",
    grid: "Stages by quarter",
    gridNote: "The latest run of each stage: how long it took, what it wrote and when it began "
      + "(UTC).",
    past: (number) => `${counted(number, "earlier quarter", "earlier quarters")}, all stages done`,
    none: "No stage has run yet.",
    unknown: "How things stand cannot be read at the moment. It comes back by itself.",
  },

  // How things stand, on the page of the status
  standing: {
    atWork: "At work",
    atWorkNote: "The stages that run now. What they have done before stays published meanwhile.",
    begins: "It begins",
    since: (time) => `for ${time}`,
    sinceWhen: (when) => `since ${when}`,
    took: (time, quarter) => `it took ${time} for ${quarter}`,
    then: (stages) => `then ${stages}`,
    trouble: "What is wrong",
    troubleNote: "The former publication stays as it is until this is mended.",
    schedule: "Schedule",
    newest: "the last error",
    retry: (times, when) => `It has failed ${counted(times, "time", "times")} in a row; `
      + (when ? `it is tried again ${when}.` : "it is tried again soon."),
    meaning: (code) => `What ${code} means, and what to do`,
    said: "What is said",
    remedy: "What to do",
    everyCode: "Every code is explained in docs/error-codes.md of the project.",
    waiting: "Late or waiting",
    waitingNote: "A quarter is late when its days of grace after its end are over and it is not "
      + "published.",
    state: "State",
    files: "Files",
    due: "Due by",
    late: "Late",
    waits: "Waits for its build",
    come: (files) => ({true: "have come", false: "none has come"})[files] ?? "–",
    dead: "The schedule gives no sign of life; start `exams schedule` again",
    noSchedule: "No schedule runs; `exams schedule` starts one",
    passed: "This time has passed, and these pages were not written since: does the schedule run?",
    lastTick: (when) => `The last one was ${when}`,
    noTick: "There was none yet",
    notPublished: (due) => `It is not published. It was due by ${due}.`,
    written: (when) => `How things stood on ${when}, when these pages were last written. `
      + "A quarter is late by today’s date.",
  },

  etl: {
    file: "File",
    allFiles: "All files",
    inFiles: (n) => `in ${counted(n, "file", "files")}`,
    received: "Received",
    loaded: "Loaded",
    quarantined: "Quarantined",
    resolved: "Resolved",
    ofReceived: (share) => `${share} of received`,
    resolvedNote: "Delivered again, corrected",
    addsUp: "Adds up",
    yes: "✓ Yes",
    no: "✕ No",
    sha: "SHA-256",
    reconciliation: "Reconciliation",
    reconciliationNote: "Received = loaded + quarantined + resolved, file by file. A resolved "
      + "record has left the quarantine: another file has it again, and counts it.",
    byFile: "Reconciliation by file",
    quarantine: "Quarantine",
    quarantineNote: (quarter) => "Why records were not loaded; one with two reasons counts under "
      + `both. Rejected values are kept out of sight: \`exams quarantine ${quarter} --csv\` writes `
      + "the records where only the office sees them, to be corrected and delivered again.",
    files: "Files",
    noQuarantine: "No record is in quarantine.",
    repairs: "Repairs",
    repairsNote: "What was changed in values so that they could be loaded: only what the "
      + "rules declare, so that no value gets another meaning.",
    noRepair: "No loaded record was repaired.",
    column: "Column",
    records: "Records",
    compared: "Compared",
    reason: "Reason",
    repair: "Repair",
    wholeRecord: "Whole record",
    byReason: "Records by column and reason",
    byRepair: "Records by column and repair",
    changes: "Changes of form",
    changesNote: (former) =>
      `Fields, columns, levels and scales, compared with ${former ?? "the quarter before"}.`,
    change: "Change",
    others: "Others",
    noFormer: "There is no quarter before.",
    noChange: "Nothing has changed.",
  },

  ml: {
    warning: "About groups, never about a person. ",
    warningNote: "These figures describe how groups of students scored. They say nothing certain "
      + "about any one student and must not be used for a decision on a person.",
    levels: "Score levels as a table",
    levelsCaption: "Share of students by score level",
    tiers: "Score tiers as a table",
    tiersCaption: "Score tiers",
    tier: "Tier",
    tierOf: (tier) => `Tier ${tier}`,
    gaps: "Group gaps as tables",
    gapsBy: (dimension) => `Gaps by ${dimension}`,
    reference: "Compared with",
    gap: "Gap",
    range: (low, high) => `${low} to ${high}`,
    effect: "Effect size g",
  },

  // Models, on the page of machine learning
  models: {
    title: "What background tells of scores, and what it does not",
    note: "How much of the differences between students goes with the background that the contract "
      + "knows, for students whom the model has not seen. The rest it cannot tell.",
    none: "No model predicts better than the same guess for everybody; none is published.",
    target: "Target",
    best: "Best model",
    gain: "Share explained",
    left: "Not explained",
    sure: "Sure that it tells anything",
    yes: "Yes",
    no: "No",
    limits: [
      "Most of what a student scores, no model knows: a prediction says nothing of one person.",
      "What goes with a group is not caused by it.",
      "Error rates differ by group; another threshold does not mend that.",
      "The intervals tell how parts of one quarter differ, not how the next quarter will.",
    ],
    dimension: "Dimension",
    explained: "What each dimension explains",
    explainedNote: "Share of the error that the linear model removes by the dimension alone. "
      + "Dimensions overlap: the shares do not add up.",
    calibration: "Calibration as a table",
    calibrationNote: "Students in bins by their predicted chance of being at risk, and how many of "
      + "them were. A good prediction lies within the interval of what was observed.",
    predicted: "Predicted chance",
    observed: "Observed",
    fairness: "Whom flagging would reach, by group",
    fairnessNote: "If every student with more than the average chance of being at risk were "
      + "flagged: missed are those at risk who would not be, in vain are the others who would. "
      + "Where the rates of groups lie apart, such a rule would treat groups unequally.",
    fairnessBy: (dimension) => `Whom flagging would reach, by ${dimension}`,
    flagged: "Flagged",
    missed: "Missed, of those at risk",
    vain: "In vain, of the others",
    card: (quarter) => `Model card of ${quarter}`,
    cardNote: "Intended use, data, models, metrics and limits, after Mitchell et al. (2019).",
    coming: "Asking for it…",
  },

  trends: {
    figures: "Key figures by quarter",
    quarter: "Quarter",
  },

  data: {
    tables: "Published tables",
    about: "All figures that may be seen, with what each column means. Choose a table to see its rows.",
    table: "Table",
    rows: "Rows",
    hidden: "Hidden",
    quarters: "Quarters",
    span: (first, last) => `${first} to ${last}`,
    search: "Search the tables",
    ofTables: (n, all) => (n === all ? `${all} tables` : `${n} of ${all} tables`),
    back: "← All tables",
    told: (description, rows, hidden, span) =>
      `${description} ${counted(rows, "row", "rows")}, `
      + `${hidden ? hidden.toLocaleString(LOCALE) : "none"} of them hidden to protect students. Quarters: ${span}.`,
    rowsShown: "Rows of",
    ofQuarter: (quarter) => quarter,
    ofAll: "All quarters",
    searchRows: "Search the rows",
    rowsOf: (title) => `Rows: ${title}`,
    reading: "Reading the rows…",
    inSight: (from, to, all) => `Rows ${[from, to].map((n) => n.toLocaleString(LOCALE)).join("–")} `
      + `of ${all.toLocaleString(LOCALE)}. The headings sort.`,
    nothing: "No row is found.",
    former: "Former rows",
    next: "Next rows",
    saveShown: "Save these rows (CSV)",
    saveAll: "Save the whole table (CSV)",
    unit: (name, unit) => `${name} (${unit})`,
    meanings: "What the columns mean",
    column: "Column",
    kind: "Kind",
    kinds: {text: "text", integer: "whole number", number: "number"},
    unitOf: "Unit",
    meaning: "Meaning",
    origin: "Where these figures come from",
    madeOf: "Made of:",
    traced: "To trace a figure back to files and code, type",
    command: (table, quarter) => `exams lineage published.${table} --quarter ${quarter}`,
    lineage: "Open the report at its sources",
  },

  // Numbers and times
  format: {
    hidden: "hidden",
    utc: (time) => `${time} UTC`,
    seconds: (s) => `${s} s`,
    minutes: (min, s) => `${min} min ${s} s`,
    hours: (h, min) => `${h} h ${min} min`,
  },

  // Codes that have no word in the databases; any other is shown with its underscores as spaces.
  codes: {
    extract: "Extract",
    transform: "Transform",
    load: "Load",
    model: "Model",
    publish: "Publish",
    visualize: "Visualize",
    pending: "Pending",
    running: "Running",
    done: "Done",
    failed: "Failed",
    skipped: "Skipped",
    interrupted: "Interrupted",
    withdrawn: "Withdrawn",
    late: "Late",
    schedule: "Schedule",
  },
};
