// What is known of the callback desk and what may be done there. Words typed and not yet saved stay in this tab.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler } from "./duty.js";
import { me } from "./model.js";

export const rows = signal([]);
export const agreed = signal([]); // appointments
export const chosen = signal(null); // the id of the line that is selected
export const shown = signal(null); // the claimed callback that is being worked on
export const refusal = signal(null);
export const saved = signal(null); // what was saved last, to be said

const id = (row) => encodeURIComponent(row.callback_id);

const fillRows = filler(rows);
const fillAgreed = filler(agreed);

export async function load() {
  const [list] = await Promise.all([fillRows("GET", "/callback-desk"), fillAgreed("GET", "/callback-desk/appointments")]);
  if (list.ok && shown.value) await look(shown.value);
}

const AT_MOST_EVERY_MS = 1000;
let loadedAt = -AT_MOST_EVERY_MS;
let due = null;

// After a change of duty: at once, but a busy desk changes more often than anybody can read.
export function loadSoon() {
  due ??= setTimeout(() => {
    due = null;
    loadedAt = performance.now();
    load();
  }, Math.max(0, loadedAt + AT_MOST_EVERY_MS - performance.now()));
}

// The callback anew. One that is closed is asked for by itself; one that is somebody else's now leaves the desk, unless
// words of it are not saved yet.
async function look(row) {
  const line = rows.value.find((one) => one.callback_id === row.callback_id);
  if (line && line.agent !== me.value.person.number) {
    if (!draftOf(row.callback_id).text) shown.value = null;
    return;
  }
  const answer = line ? { ok: true, value: line } : await ask("GET", `/callback-desk/${id(row)}`);
  if (answer.ok && shown.value?.callback_id === row.callback_id) shown.value = answer.value;
}

export async function send(method, path, body, headers) {
  const answer = await ask(method, path, body, headers);
  refusal.value = answer.ok ? null : answer.problem;
  await load();
  return answer.ok;
}

export const owed = (row, action, body, headers) => send("POST", `/owed/${id(row)}/${action}`, body, headers);
export const dial = (row) => send("POST", `/callbacks/${id(row)}/dial`);

export const invite = (row) => send("POST", `/callbacks/${id(row)}/rate`);

export const previewed = (row) => ask("POST", `/callbacks/${id(row)}/preview`);

export async function open(row) {
  chosen.value = row.callback_id;
  saved.value = null;
  refusal.value = null;
  shown.value = row.agent === me.value.person.number ? row : null;
}

export async function claim(row) {
  if (!(await owed(row, "claim"))) return;
  const own = rows.value.find((line) => line.callback_id === row.callback_id);
  if (own) await open(own);
}

// Drafts.

const EMPTY = { what: "", text: "", cause: "", at: "" };
const key = (callbackId) => `cti.callback.${me.value.person.number}.${callbackId}`;
export const drafts = signal(0); // rises with every change

export function draftOf(callbackId) {
  drafts.value;
  try {
    return { ...EMPTY, ...JSON.parse(sessionStorage.getItem(key(callbackId))) };
  } catch {
    return EMPTY; // not ours: somebody wrote into it
  }
}

export function typed(callbackId, change) {
  sessionStorage.setItem(key(callbackId), JSON.stringify({ ...draftOf(callbackId), ...change }));
  drafts.value += 1;
}

export function forget(callbackId) {
  sessionStorage.removeItem(key(callbackId));
  drafts.value += 1;
}

// The moment of a datetime-local field, which is meant in the hotline's zone wherever the screen stands.
export function momentOf(local) {
  const asUtc = Date.parse(`${local}:00Z`);
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: me.value.zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).formatToParts(asUtc);
  const part = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  const seen = Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:00Z`);
  return new Date(asUtc - (seen - asUtc)).toISOString();
}

// One key for one new matter: asked again after a lost answer, it opens no second stub.
export const matterKey = (callbackId, text) => {
  let hash = 0;
  for (const character of text) hash = (Math.imul(hash, 31) + character.codePointAt(0)) | 0;
  return `${callbackId}-${hash >>> 0}`.replace(/[^A-Za-z0-9-]/g, "-").slice(-50);
};
