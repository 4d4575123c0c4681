// One stream for all tabs of one person (a browser opens only six to a host). The worker's name holds the work number.
import { connect } from "./source.js";

const ports = new Set();
const kept = new Map(); // the newest hello, board and pop, for a tab that opens later
let stop = null;

function tell(message) {
  if (message.kind === "lost") kept.delete("hello");
  else kept.set(message.kind, message);
  for (const port of ports) port.postMessage(message);
  if (message.kind === "logged_out") end();
}

function end() {
  stop?.();
  stop = null;
  kept.clear();
}

onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = ({ data }) => {
    ports.delete(port);
    if (data === "logout") tell({ kind: "logged_out" }); // to the other tabs
  };
  for (const message of kept.values()) port.postMessage({ ...message, kept: true });
  stop ??= connect(tell);
};
