// Notes saved as they are typed. What is not saved yet is kept in this tab, so that neither a reload nor a lost service
// takes it; versions rise, so that an older save never replaces a newer one.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { me } from "./model.js";

const SAVE_AFTER_MS = 400; // from the first key that is not saved: who never pauses is saved all the same
const TRY_AGAIN_MS = 1000;
const savers = new Map(); // by ticket: what is typed is saved to its end, whatever is on the screen by then

const key = (id) => `cti.notes.${me.value.person.number}.${id}`;
const path = (id) => `/tickets/${encodeURIComponent(id)}`;

function draftOf(id) {
  try {
    return JSON.parse(sessionStorage.getItem(key(id)));
  } catch {
    return null; // not ours: somebody wrote into it
  }
}

// state: saved | unsaved | saving | waiting (the service is away) | newer (others saved since) | refused
export function notesOf(ticket) {
  const { ticket_id: id, stub } = ticket;
  let saver = savers.get(id);
  if (!saver) {
    const kept = { text: stub.notes, version: stub.notes_version };
    saver = { id, ...kept, kept, state: signal("saved"), problem: signal(null), theirs: null, timer: null, sending: null };
    savers.set(id, saver);
    takeDraft(saver);
  } else {
    takeKept(saver, { text: stub.notes, version: stub.notes_version });
  }
  return saver;
}

function takeDraft(saver) {
  const draft = draftOf(saver.id);
  if (typeof draft?.text !== "string" || draft.text === saver.kept.text) return void drop(saver);
  saver.text = draft.text;
  saver.version = draft.version;
  if (draft.version > saver.kept.version) return void later(saver, 0);
  saver.theirs = saver.kept;
  saver.state.value = "newer";
}

function takeKept(saver, kept) {
  if (kept.version <= saver.kept.version) return;
  const still = saver.text === saver.kept.text;
  saver.kept = kept;
  if (still) Object.assign(saver, kept);
}

const drop = (saver) => sessionStorage.removeItem(key(saver.id));

export function typed(saver, text) {
  saver.text = text;
  saver.version = Math.max(saver.version, saver.kept.version) + 1;
  sessionStorage.setItem(key(saver.id), JSON.stringify({ text, version: saver.version }));
  if (saver.state.value === "newer") return; // a person decides first
  saver.state.value = "unsaved";
  later(saver, SAVE_AFTER_MS);
}

function later(saver, ms) {
  if (saver.state.value !== "waiting") saver.state.value = "unsaved";
  saver.timer ??= setTimeout(() => {
    saver.timer = null;
    save(saver);
  }, ms);
}

function save(saver) {
  saver.sending ??= send(saver).finally(() => (saver.sending = null));
  return saver.sending;
}

async function send(saver) {
  const { text, version } = saver;
  saver.state.value = "saving";
  const answer = await ask("PUT", `${path(saver.id)}/notes`, { text, version });
  if (answer.ok) return void accepted(saver, { text, version });
  if (answer.status === 0 || answer.status >= 500) {
    saver.state.value = "waiting";
    return void later(saver, TRY_AGAIN_MS);
  }
  saver.problem.value = answer.problem;
  saver.state.value = "refused";
  if (answer.problem.code === "notes_newer") await meet(saver);
}

function accepted(saver, kept) {
  saver.kept = kept;
  saver.problem.value = null;
  if (saver.text !== kept.text) return void later(saver, SAVE_AFTER_MS);
  drop(saver);
  saver.state.value = "saved";
}

// Somebody else, or another tab, saved since: both texts are kept until a person chooses.
async function meet(saver) {
  const answer = await ask("GET", path(saver.id));
  if (!answer.ok) return;
  const { notes, notes_version: version } = answer.value.stub;
  if (notes === saver.text) return void accepted(saver, { text: notes, version });
  saver.theirs = { text: notes, version };
  saver.problem.value = null;
  saver.state.value = "newer";
}

export function choose(saver, mine) {
  const { theirs } = saver;
  saver.theirs = null;
  saver.kept = theirs;
  if (!mine) {
    Object.assign(saver, theirs);
    drop(saver);
    saver.state.value = "saved";
    return;
  }
  saver.state.value = "unsaved";
  typed(saver, saver.text);
}

// Until what was typed is saved, or cannot be just now.
export async function settle(id) {
  const saver = savers.get(id);
  if (!saver) return true;
  clearTimeout(saver.timer);
  saver.timer = null;
  await saver.sending;
  if (saver.text !== saver.kept.text && saver.state.value !== "newer") await save(saver);
  return saver.text === saver.kept.text;
}

addEventListener("pagehide", () => savers.forEach((saver) => saver.text !== saver.kept.text && settle(saver.id)));
