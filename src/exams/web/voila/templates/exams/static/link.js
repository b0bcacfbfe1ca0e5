// The line to the kernel: one comm over a websocket of our own, so that nothing of Voila's
// scripts is needed for it.

const RETRY = 3000; // milliseconds
const PATIENCE = 10000; // milliseconds; a kernel that is there may be busy for longer,
const TIMES = 6; // but not for so many times that

/** Of the questions of one kind that wait for the line, only the last still matters. */
const kind = (question) => ("table" in question ? ["table", question.table, question.of].join()
  : ["report", "card"].find((page) => page in question) ?? "figures");

/** Open the line. `hear` gets every answer of the kernel; `state` gets "open", "lost" while the
 *  server is out of reach, "gone" when the server is there and the kernel is not: only a page
 *  loaded anew gets another one. Returns ask(question): sent at once, or when the line is open. */
export function connect({base, kernel, comm}, hear, state) {
  const session = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const address = new URL(`${base}api/kernels/${kernel}/channels?session_id=${session}`,
    location.href);
  address.protocol = address.protocol.replace("http", "ws");
  let socket;
  let patience = null;
  let waiting = [];

  function open() {
    socket = new WebSocket(address);
    socket.onopen = () => {
      state("open");
      waiting.splice(0).forEach(send);
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (hasEnded(message)) state("gone");
      const ours = message.header?.msg_type === "comm_msg" && message.content.comm_id === comm;
      if (!ours) return;
      clearTimeout(patience);
      patience = null;
      hear(message.content.data);
    };
    socket.onclose = () => {
      state("lost");
      setTimeout(again, RETRY);
    };
  }

  async function again() {
    if (await isGone(base, kernel)) state("gone");
    else open();
  }

  function send(question) {
    socket.send(envelope(session, comm, question));
    patience ??= setTimeout(doubt, PATIENCE, 1);
  }

  /** No answer for some time: is the kernel still there? */
  async function doubt(times) {
    const mine = patience;
    const gone = await isGone(base, kernel);
    if (patience !== mine) return; // the answer has come meanwhile
    if (gone || times === TIMES) state("gone");
    else patience = setTimeout(doubt, PATIENCE, times + 1);
  }

  open();
  sayGoodbye(base, kernel);
  return (question) => {
    if (socket.readyState === WebSocket.OPEN) send(question);
    else waiting = [...waiting.filter((other) => kind(other) !== kind(question)), question];
  };
}

/** Does a message tell that the kernel has ended? Another one may have come, without our comm. */
const hasEnded = ({header, content}) =>
  header?.msg_type === "status" && ["restarting", "dead"].includes(content.execution_state);

/** Does the server answer, but not know the kernel (or us) any more? */
async function isGone(base, kernel) {
  try {
    const {status, type} = await fetch(`${base}api/kernels/${kernel}`,
      {cache: "no-store", redirect: "manual"});
    return type === "opaqueredirect" || (status >= 400 && status < 500);
  } catch {
    return false;
  }
}

/** A message of the Jupyter protocol that carries `data` to the comm. */
function envelope(session, comm, data) {
  return JSON.stringify({
    header: {
      msg_id: `${session}-${performance.now()}`, msg_type: "comm_msg", version: "5.3",
      username: "", session, date: new Date().toISOString(),
    },
    parent_header: {}, metadata: {}, buffers: [], channel: "shell",
    content: {comm_id: comm, data},
  });
}

/** End the kernel with the page. A page that comes back from the browser's cache has none. */
function sayGoodbye(base, kernel) {
  addEventListener("pagehide", () => {
    const form = new FormData();
    form.append("_xsrf", crossSiteToken(base));
    navigator.sendBeacon(new URL(`${base}voila/api/shutdown/${kernel}`, location.href), form);
  });
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

/** The server takes a form only if it repeats this cookie; make one where there is none. */
function crossSiteToken(base) {
  const found = document.cookie.match(/\b_xsrf=([^;]*)/)?.[1];
  if (found) return found;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16));
  document.cookie = `_xsrf=${made.join("")}; path=${base}; SameSite=Strict`;
  return made.join("");
}
