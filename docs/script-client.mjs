// A script as one more client of a notebook: opens it, gives a cell a new text if there is one, runs it with what it needs, prints the result.
// The pages see all of it as it happens.
//   node docs/script-client.mjs http://127.0.0.1:4747 TOKEN workspaces/flights/late.nb.ts CELL [NEW-TEXT | - for stdin]
// Exit code 0: ok; 1: the cell failed; 2: it could not be asked.
//
// An answer to a change says that the server has it in memory; what it has is on its disk 200 ms later, or when a `flush` is answered. So a
// script keeps what it sent until then. A server that comes back under another epoch may have lost it: `applied` in the snapshot names this client's
// last change that is kept, and what is not is sent again, under the same token, so that it is never done twice.
import { readFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import WebSocket from "ws";

const [server, token, path, cell, given] = process.argv.slice(2);
if (cell === undefined) {
  console.error("Usage: node script-client.mjs SERVER TOKEN NOTEBOOK CELL [TEXT]");
  process.exit(2);
}
const text = given === "-" ? readFileSync(0, "utf8") : given;
const give = (message, code) => {
  console.error(message);
  process.exit(code);
};

const address = `${server.replace(/^http/, "ws").replace(/\/$/, "")}/api/ts/notebook?path=${encodeURIComponent(path)}`;
const client = `script-${randomUUID()}`;
/** this script's own name of its change */
const change = randomUUID();
/** how long a server that went is waited for, ms */
const patience = 30_000;

let socket;
let lostAt = null;
/** what is under way: "edit", "flush", "run" */
let step = text === undefined ? "run" : "edit";
let epoch = null;
let asked = 0;
let runAsked = false;
/** the cell's state and outputs, as this script follows them, and its run before ours */
let state = null;
let outputs = [];
let before = null;

function connect() {
  socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } });
  // `watch`: it does not become the writer by being here
  socket.on("open", () => send({ type: "hello", client, name: "Script", epoch: null, cursor: 0, watch: true }));
  socket.on("message", (data) => hear(JSON.parse(String(data))));
  socket.on("error", (error) => {
    if (epoch === null) give(error.message, 2);
  });
  socket.on("close", (_code, reason) => {
    if (epoch === null) give(String(reason) || "The server closed the connection.", 2);
    lostAt ??= Date.now();
    if (Date.now() - lostAt > patience) give("The server did not come back.", 2);
    setTimeout(connect, 300);
  });
}
const send = (message) => socket.send(JSON.stringify(message));
const command = (rev, command) => send({ type: "command", id: ++asked, rev, command });

function hear(message) {
  if (message.type === "snapshot") snapshot(message);
  else if (message.type === "reply" && message.id === asked) reply(message);
  else if (message.type === "events") message.events.forEach(follow);
  if (!runAsked || state.run === before || state.status !== "idle") return;
  for (const output of outputs) {
    if (output.kind === "stream") process.stdout.write(output.text);
    else if (output.kind === "display") console.log(output.data["text/plain"] ?? Object.keys(output.data).join(", "));
    else console.error(`${output.error.name}: ${output.error.message}`);
  }
  process.exit(state.result === "ok" ? 0 : 1);
}

let rev = 0;
let source = "";
function snapshot({ state: notebook, applied }) {
  const found = notebook.source.cells.find((one) => one.id === cell);
  if (found === undefined) give(`There is no cell ${cell} in ${path}; it has ${notebook.source.cells.map((one) => one.id).join(", ")}.`, 2);
  const restarted = epoch !== null && epoch !== notebook.epoch;
  lostAt = null;
  epoch = notebook.epoch;
  rev = notebook.rev;
  source = found.source;
  state = notebook.cells[cell];
  outputs = notebook.outputs[cell] ?? [];
  // what runs goes with its kernel; running it again is for its author to decide
  if (restarted && runAsked) give("The server was started again while the cell ran; its result is lost, the text is kept.", 2);
  // a server that lost the change has never heard of it, one that has it says so
  if (step === "flush" || step === "edit") step = applied === change ? "flush" : "edit";
  ask();
}

function ask() {
  if (step === "edit") command(rev, { do: "ops", ops: [{ op: "edit", id: cell, at: 0, remove: source.length, insert: text }], token: change });
  else if (step === "flush") command(rev, { do: "flush" });
  else if (!runAsked) {
    before = state.run;
    runAsked = true;
    command(rev, { do: "run", cells: [cell] });
  }
}

function reply({ ok, error }) {
  // somebody changed the notebook meanwhile: the newer state is on its way to us, or here
  if (!ok && error.code === "stale" && step === "edit") return socket.close();
  // "not-writer": a person writes there; `{ do: "write" }` would take over
  if (!ok) give(`${error.code}: ${error.message}`, 2);
  if (step === "run") return;
  step = step === "edit" ? "flush" : "run";
  ask();
}

function follow(event) {
  if (event.type === "ops") rev = event.rev;
  if (event.type === "cells" && event.cells[cell]) state = event.cells[cell];
  if (event.type === "outputs" && event.cell === cell) outputs = [...(event.clear ? [] : outputs), ...event.outputs];
}

connect();
