// What is said of the ticket on the screen; everything by keyboard, nothing lost by a redraw.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ask } from "./api.js";
import { turns } from "./duty.js";
import { dayTime, timeOf } from "./format.js";
import { language, t } from "./i18n.js";
import { loadLists, openTicket } from "./live.js";
import { me, mine, pop } from "./model.js";
import { choose, notesOf, settle, typed } from "./notes.js";
import { Chased, Chasing, Clock, Repeated } from "./stub_facts.js";
import { inWords, loadWords, words } from "./stub_words.js";
import { html, Notice } from "./ui.js";

const path = (ticket, rest = "") => `/tickets/${encodeURIComponent(ticket.ticket_id)}${rest}`;
const TYPES = ["INPUT", "TEXTAREA", "SELECT"];

const sitting = () => ["agent", "lead"].includes(me.value.person.role);

const turn = turns();

// Every act answers the ticket as it is then.
async function act(ticket, say, method, rest = "", body, headers) {
  const newer = turn();
  const answer = await ask(method, path(ticket, rest), body, headers);
  say(answer.ok ? null : answer.problem);
  if (answer.ok && answer.value && pop.value?.ticket_id === ticket.ticket_id && newer()) pop.value = answer.value;
  return answer;
}

function Kinds({ ticket, onChoose }) {
  return html`<div class="kinds" role="radiogroup" aria-label=${t("stub.kind")} data-test="kinds">
    ${words.value.kinds.map((kind) => html`<button key=${kind.code} role="radio" class="kind"
      aria-checked=${ticket.stub.kind === kind.code} aria-keyshortcuts=${kind.key} data-test=${`kind-${kind.code}`}
      title=${kind.hand_out ? `${kind.hand_out.article} ${kind.hand_out.wording}` : ""}
      onClick=${() => onChoose(kind.code)}><kbd>${kind.key}</kbd>${kind[language.value]}</button>`)}</div>`;
}

function Choice({ name, list, value, keys, onChoose, empty = true }) {
  const rows = words.value[list];
  return html`<label class="stub-choice"><span>${t(`stub.${name}`)}${keys && html`<kbd>Alt ${keys}</kbd>`}</span>
    <select data-test=${`stub-${name}`} aria-keyshortcuts=${keys ? `Alt+${keys}` : null} id=${`stub-${name}`}
      onChange=${(event) => onChoose(event.currentTarget.value || null)}>
      ${empty && html`<option value="" selected=${value === null}>–</option>`}
      ${rows.map((row) => html`<option key=${row.code} value=${row.code} selected=${row.code === value}>${row[language.value]}</option>`)}
    </select></label>`;
}

function Notes({ ticket }) {
  const saver = notesOf(ticket);
  const field = useRef(null);
  const state = saver.state.value;
  const [length, setLength] = useState(saver.text.length);
  useEffect(() => {
    if (field.current.value !== saver.text) field.current.value = saver.text; // saved elsewhere, or chosen
    setLength(saver.text.length);
  }, [saver.text, state]);
  const onInput = (event) => {
    typed(saver, event.currentTarget.value);
    setLength(saver.text.length);
  };
  const most = words.value.notes_most;
  const pick = (own) => {
    choose(saver, own);
    field.current.focus();
  };
  return html`<div class="notes"><label for="stub-notes"><span>${t("stub.notes")}<kbd>Alt N</kbd></span>
      <span class=${`notes-state ${state}`} role="status" data-test="notes-state" data-state=${state}>${t(`stub.notes.${state}`)}
        ${length > most * 0.9 && html` <span class="num">${length}/${most}</span>`}</span></label>
    <textarea id="stub-notes" ref=${field} rows="3" data-test="notes" aria-keyshortcuts="Alt+N" spellcheck="false"
      defaultValue=${saver.text} onInput=${onInput} placeholder=${t("stub.notes.hint")}></textarea>
    <${Notice} problem=${saver.problem.value} onClose=${() => (saver.problem.value = null)} />
    ${state === "newer" && html`<div class="notes-newer" role="alert" data-test="notes-newer">
      <p>${t("stub.notes.other")}</p><pre>${saver.theirs?.text}</pre>
      <button class="small primary" data-test="notes-mine" onClick=${() => pick(true)}>${t("stub.notes.keep")}</button>
      <button class="small" data-test="notes-theirs" onClick=${() => pick(false)}>${t("stub.notes.take")}</button></div>`}
  </div>`;
}

const Siblings = ({ ticket }) => html`<div class="siblings" role="group" aria-label=${t("stub.of_call")} data-test="siblings">
  ${ticket.stubs.map((one) => html`<button key=${one.ticket_id} class=${`small ${one.ticket_id === ticket.ticket_id ? "here" : ""}`}
    aria-current=${one.ticket_id === ticket.ticket_id ? "true" : null} onClick=${() => openTicket(one.ticket_id)}>
    ${one.ordinal} · ${one.kind ? inWords("kinds", one.kind) : t("stub.no_kind")}${one.closed ? " ✓" : ""}</button>`)}</div>`;

function HandOut({ ticket, onSend }) {
  const { stub } = ticket;
  const [unit, setUnit] = useState(stub.unit);
  const fits = (u) => (!u.kinds.length || u.kinds.includes(stub.kind)) && (!u.areas.length || u.areas.includes(stub.area));
  const units = [...words.value.units].sort((a, b) => fits(b) - fits(a));
  return html`<div class="hand-out"><label class="stub-choice"><span>${t("stub.unit")}<kbd>Alt O</kbd></span>
      <select id="stub-unit" data-test="stub-unit" aria-keyshortcuts="Alt+O" onChange=${(e) => setUnit(e.currentTarget.value || null)}>
        <option value="" selected=${unit === null}>–</option>
        ${units.map((u) => html`<option key=${u.code} value=${u.code} selected=${u.code === unit}>${u[language.value]}</option>`)}
      </select></label>
    <button data-test="hand-out" aria-keyshortcuts="Alt+G" disabled=${!unit || !stub.kind} onClick=${() => onSend(unit)}>
      ${t("stub.hand_out")}<kbd>Alt G</kbd></button></div>`;
}

const HandedOut = ({ stub, onTaken }) => html`<p class="handed" data-test="handed-out">
  ✓ ${t("stub.handed", { unit: inWords("units", stub.unit), at: timeOf(stub.handed_out_at) })}
  ${stub.taken_at ? ` · ${t("stub.taken", { at: timeOf(stub.taken_at) })}`
    : html` <button class="small" data-test="taken" onClick=${onTaken}>${t("stub.take")}</button>`}
  ${stub.finish_due && html` · ${t("stub.finish_due", { at: dayTime(stub.finish_due) })}`}</p>`;

let opened = 0; // with the page's own start it makes the key of a further stub
const started = Date.now().toString(36);

export function StubForm({ ticket }) {
  const [problem, say] = useState(null);
  const { stub } = ticket;
  const sits = sitting();
  const changes = mine.value?.stub_changes;
  const seen = useRef(changes);
  useEffect(() => void loadWords(), []);
  useEffect(() => {
    if (seen.current !== changes) act(ticket, () => {}, "GET"); // the next call may have popped before the answer
    seen.current = changes;
  }, [changes]);
  const set = (values) => act(ticket, say, "PATCH", "", values);
  const verify = () => act(ticket, say, "PUT", "/verified", { verified: !stub.verified });
  const handOut = (unit) => act(ticket, say, "POST", "/handout", { unit });
  async function more() {
    await settle(ticket.ticket_id);
    const key = { "Idempotency-Key": `${started}-${++opened}` };
    const answer = await ask("POST", path(ticket, "/stubs"), undefined, key);
    say(answer.ok ? null : answer.problem);
    if (answer.ok) pop.value = answer.value;
  }
  async function finish() {
    if (!(await settle(ticket.ticket_id))) return say({ code: "notes_unsaved" });
    const answer = await ask("POST", path(ticket, "/finish"));
    say(answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    loadLists();
    const next = ticket.stubs.find((one) => !one.closed && one.ticket_id !== ticket.ticket_id);
    await openTicket(next?.ticket_id ?? ticket.ticket_id);
  }
  const acts = useRef({});
  acts.current = { set, verify, more, finish, handOut, open: sits && !ticket.closed_at };
  useLayoutEffect(() => { // with the first paint: a key pressed at once is not lost
    const onKey = (event) => keyed(event, acts.current);
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  if (!sits) return null;
  if (ticket.closed_at) return html`<p class="done" data-test="finished">✓ ${t("ticket.finished")} ${timeOf(ticket.closed_at)}</p>
    ${ticket.stubs.length > 1 && html`<${Siblings} ticket=${ticket} />`}${stub.notes && html`<pre class="kept-notes">${stub.notes}</pre>`}`;
  return html`<div class="stub" data-test="stub">
    ${ticket.stubs.length > 1 && html`<${Siblings} ticket=${ticket} />`}
    <div class="stub-head"><h3>${t("stub.kind")}<kbd>0–9</kbd></h3><${Chasing} tickets=${ticket.open_tickets} /><${Clock} stub=${stub} /></div>
    <${Kinds} ticket=${ticket} onChoose=${(kind) => set({ kind })} />
    ${stub.kind === "complaint" && html`<${Repeated} ticket=${ticket} onGrade=${(complaint_grade) => set({ complaint_grade })} />`}
    <div class="stub-row">
      ${words.value.areas.length > 0 && html`<${Choice} name="area" list="areas" value=${stub.area} keys="A" onChoose=${(area) => set({ area })} />`}
      <${Choice} name="caller_kind" list="caller_kinds" value=${stub.caller_kind} empty=${false} onChoose=${(caller_kind) => set({ caller_kind })} />
      <${Choice} name="grade" list="grades" value=${stub.grade} onChoose=${(grade) => set({ grade })} />
      <button class=${`verify ${stub.verified ? "on" : ""}`} aria-pressed=${stub.verified} aria-keyshortcuts="Alt+V" data-test="verify"
        onClick=${verify}>${stub.verified ? t("stub.verified", { agent: stub.verified_by, at: timeOf(stub.verified_at) }) : t("stub.verify")}<kbd>Alt V</kbd></button>
    </div>
    <${Notes} ticket=${ticket} key=${`notes-${ticket.ticket_id}`} />
    <${Notice} problem=${problem} onClose=${() => say(null)} />
    <div class="stub-acts">
      ${stub.handed_out_at ? html`<${HandedOut} stub=${stub} onTaken=${() => act(ticket, say, "POST", "/taken")} />`
        : html`<${HandOut} ticket=${ticket} onSend=${handOut} key=${`${ticket.ticket_id}-${stub.unit}`} />`}
      <span class="grow"></span>
      ${ticket.call_id && html`<button data-test="more" aria-keyshortcuts="Alt+M" onClick=${more}>${t("stub.more")}<kbd>Alt M</kbd></button>`}
      <button class="primary" data-test="finish-stub" aria-keyshortcuts="Alt+E" onClick=${finish}>${t("ticket.finish")}<kbd>Alt E</kbd></button>
    </div></div>`;
}

// Below the keys of the call: a caller with many open tickets pushes none of them off the screen.
export function ChasedTickets({ ticket }) {
  const [problem, say] = useState(null);
  if (!sitting() || ticket.closed_at) return null;
  const remind = (of, reason) => act(ticket, say, "POST", "/reminders", { of, reason });
  return html`<${Chased} tickets=${ticket.open_tickets} onRemind=${remind}><${Notice} problem=${problem} onClose=${() => say(null)} /><//>`;
}

const FOCUS = { KeyN: "stub-notes", KeyA: "stub-area", KeyO: "stub-unit" };

// A digit alone chooses the kind, unless it is being typed into something.
function keyed(event, acts) {
  if (!acts.open || event.ctrlKey || event.metaKey || event.repeat) return;
  const kind = words.value.kinds.find((one) => one.key === event.key);
  if (!event.altKey) {
    if (kind && !TYPES.includes(document.activeElement?.tagName)) acts.set({ kind: kind.code });
    return;
  }
  const field = document.getElementById(FOCUS[event.code] ?? "");
  const own = { KeyV: acts.verify, KeyM: acts.more, KeyE: acts.finish, KeyG: () => sendOut(acts) }[event.code];
  if (event.code === "KeyK") document.querySelector(".kind[aria-checked=true], .kind")?.focus();
  else if (field) field.focus();
  else if (own) own();
  else return;
  event.preventDefault();
}

function sendOut(acts) {
  const unit = document.getElementById("stub-unit")?.value;
  if (unit) acts.handOut(unit);
}
