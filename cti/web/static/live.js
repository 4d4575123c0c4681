// Keeps the model true: stream, lists, clock. The service's clock rules all timers; ours only carries them on.
import { announce } from "./alert.js";
import { ask } from "./api.js";
import { filler, turns } from "./duty.js";
import { board, callbacks, calls, me, mine, newBuild, now, pop, streamLostAt, streamUp } from "./model.js";
import { connect } from "./source.js";

let offset = 0;
let build = null;
let leave = null;
const seenPops = new Set();
const popTurn = turns();

const tick = () => (now.value = Date.now() + offset);
setInterval(tick, 200);

// The message with the shortest way shows the offset best, so a later one may only raise it.
function setClock(iso, fresh) {
  const seen = Date.parse(iso) - Date.now();
  offset = fresh || Math.abs(seen - offset) > 3000 ? seen : Math.max(offset, seen);
  tick();
}

function take(message) {
  if (message.kind === "lost") {
    if (streamUp.value !== false) streamLostAt.value = now.value;
    streamUp.value = false;
    return;
  }
  if (message.kind === "logged_out") return void loggedOut();
  if (message.kind === "hello") takeHello(message.data, message.kept);
  if (message.kind === "board") takeBoard(message.data, message.kept);
  if (message.kind === "pop") takePop(message.data, message.kept);
}

function takeHello(hello, kept) {
  if (hello.number !== me.value.person.number) return void location.reload(); // somebody else logged in here
  if (!kept) setClock(hello.now, true);
  newBuild.value = build !== null && build !== hello.build;
  build ??= hello.build;
  streamUp.value = true;
  streamLostAt.value = null;
}

function takeBoard(value, kept) {
  const before = mine.value;
  if (!kept) setClock(value.at, false);
  board.value = value;
  const after = mine.value;
  if (before?.state !== after?.state) {
    loadListsSoon();
    if (after?.state === "ringing") announce("ringing");
  }
}

function takePop(ticket, kept) {
  if (seenPops.has(ticket.ticket_id) || (kept && mine.value?.call_id !== ticket.call_id)) return;
  seenPops.add(ticket.ticket_id);
  popTurn()(); // a ticket that was asked for before the call does not take its place
  pop.value = ticket;
  announce("pop", ticket);
  whenShown(() => tellPopped(ticket.ticket_id, 3));
  loadListsSoon();
}

function whenShown(then) {
  if (document.hidden) then(); // a hidden tab paints nothing, but the ticket is in it
  else requestAnimationFrame(() => setTimeout(then, 0));
}

async function tellPopped(ticketId, tries) {
  const answer = await ask("POST", `/tickets/${encodeURIComponent(ticketId)}/popped`);
  if (!answer.ok && (answer.status === 0 || answer.status >= 500) && tries > 1) {
    setTimeout(() => tellPopped(ticketId, tries - 1), 1000);
  }
}

// The lists may be a little late; the pop, which comes at the same moment, may not wait for them.
let listsDue = null;
function loadListsSoon() {
  listsDue ??= setTimeout(() => {
    listsDue = null;
    loadLists();
  }, 600);
}

const [fillCalls, fillOwed] = [calls, callbacks].map(filler);
export function loadLists() {
  if (!["agent", "lead"].includes(me.value?.person.role)) return;
  fillCalls("GET", "/me/calls");
  fillOwed("GET", "/callbacks");
}
setInterval(() => document.hidden || loadLists(), 15000); // recordings are checked a little after the call

export async function openTicket(ticketId) {
  const newer = popTurn();
  const answer = await ask("GET", `/tickets/${encodeURIComponent(ticketId)}`);
  if (answer.ok && newer()) pop.value = answer.value;
  return answer;
}

// me + stream; false when nobody is logged in.
export async function begin() {
  const answer = await ask("GET", "/me");
  if (!answer.ok) return false;
  me.value = answer.value;
  setClock(answer.value.now, true);
  listen();
  loadLists();
  return true;
}

function listen() {
  leave?.();
  if (typeof SharedWorker === "undefined") {
    leave = connect(take);
    return;
  }
  const worker = new SharedWorker("/static/worker.js", { type: "module", name: `cti-${me.value.person.number}` });
  worker.port.onmessage = ({ data }) => take(data);
  worker.onerror = () => (leave = connect(take)); // module workers are missing: a stream of our own
  leave = (word = "bye") => worker.port.postMessage(word);
}
addEventListener("pagehide", () => leave?.());
addEventListener("pageshow", (event) => event.persisted && me.value && listen());

export function loggedOut() {
  leave?.("logout");
  leave = null;
  location.assign("/login");
}
