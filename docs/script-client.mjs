// A script as one more client of a notebook: opens it, runs a cell with what it needs, prints the result. The pages see the run as it happens.
//   node docs/script-client.mjs http://127.0.0.1:4747 TOKEN workspaces/flights/late.nb.ts CELL
// Exit code 0: ok; 1: the cell failed; 2: it could not be asked.
import WebSocket from "ws";

const [server, token, path, cell] = process.argv.slice(2);
if (cell === undefined) {
  console.error("Usage: node script-client.mjs SERVER TOKEN NOTEBOOK CELL");
  process.exit(2);
}
const give = (message, code) => {
  console.error(message);
  process.exit(code);
};

const address = `${server.replace(/^http/, "ws").replace(/\/$/, "")}/api/ts/notebook?path=${encodeURIComponent(path)}`;
const socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } });
socket.on("error", (error) => give(error.message, 2));
socket.on("close", (_code, reason) => give(String(reason) || "The server closed the connection.", 2));
// `watch`: it does not become the writer by being here
socket.on("open", () =>
  socket.send(JSON.stringify({ type: "hello", client: `script-${process.pid}`, name: "Script", epoch: null, cursor: 0, watch: true })),
);

/** what this script keeps of the notebook: the cell's state and its outputs */
let state = null;
let outputs = [];
/** the cell's run before ours */
let before = null;
let asked = false;

socket.on("message", (data) => {
  const message = JSON.parse(String(data));
  if (message.type === "snapshot") {
    const { source, cells, rev } = message.state;
    if (!source.cells.some((one) => one.id === cell))
      give(`There is no cell ${cell} in ${path}; it has ${source.cells.map((one) => one.id).join(", ")}.`, 2);
    state = cells[cell];
    outputs = message.state.outputs[cell] ?? [];
    if (asked) return;
    asked = true;
    before = state.run;
    socket.send(JSON.stringify({ type: "command", id: 1, rev, command: { do: "run", cells: [cell] } }));
  } else if (message.type === "reply" && !message.ok) {
    // "not-writer": a person writes there; `{ do: "write" }` would take over
    give(`${message.error.code}: ${message.error.message}`, 2);
  } else if (message.type === "events") {
    for (const event of message.events) {
      if (event.type === "cells" && event.cells[cell]) state = event.cells[cell];
      if (event.type === "outputs" && event.cell === cell) outputs = [...(event.clear ? [] : outputs), ...event.outputs];
    }
    if (state.run === before || state.status !== "idle") return;
    for (const output of outputs) {
      if (output.kind === "stream") process.stdout.write(output.text);
      else if (output.kind === "display") console.log(output.data["text/plain"] ?? Object.keys(output.data).join(", "));
      else console.error(`${output.error.name}: ${output.error.message}`);
    }
    process.exit(state.result === "ok" ? 0 : 1);
  }
});
