// Missed callers: who waits to be called back, the longest first; claimed, called back, or ended with a reason.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { dayTime, phone } from "./format.js";
import { t } from "./i18n.js";
import { loadLists } from "./live.js";
import { board, me, nameOf } from "./model.js";
import { html, Icon, Notice, Since } from "./ui.js";

const REASONS = ["unreachable", "settled_otherwise", "wrong_number", "nuisance", "not_diallable", "other"];
const rows = signal([]);
const refusal = signal(null);
const ending = signal(null); // the duty whose reasoned end is being written
const fill = filler(rows);
const load = () => fill("GET", "/missed");

async function send(row, action, body) {
  const answer = await ask("POST", `/missed/${encodeURIComponent(row.missed_id)}/${action}`, body);
  refusal.value = answer.ok ? null : answer.problem;
  if (answer.ok) ending.value = null;
  load();
  if (action === "callback") loadLists();
}

const planned = (row) => ["due", "placing"].includes(row.callback_state);

function EndForm({ row }) {
  const submit = (event) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    send(row, "close", { reason: said.get("reason"), text: said.get("text").trim() });
  };
  const open = REASONS.filter((reason) => reason !== "unreachable" || row.callback_state === "exhausted");
  return html`<form class="missed-end" onSubmit=${submit} data-test="missed-end">
    <select name="reason" aria-label=${t("missed.reason")} data-test="missed-reason">
      ${open.map((reason) => html`<option value=${reason} key=${reason}>${t(`missed.reason.${reason}`)}</option>`)}</select>
    <input name="text" maxlength="200" required autofocus aria-label=${t("missed.text")} placeholder=${t("missed.text")}
      data-test="missed-text" />
    <button class="small primary" data-test="missed-close">${t("missed.end")}</button>
    <button class="small" type="button" onClick=${() => (ending.value = null)}>${t("missed.back")}</button></form>`;
}

const Act = ({ row, action, name, children }) => html`<button class="small" data-test=${`missed-${action}`}
  onClick=${() => send(row, action)}>${children}${t(name)}</button>`;

function Actions({ row }) {
  const { number, role } = me.value.person;
  const own = row.claimed_by === number;
  const lead = role === "lead";
  if (!["agent", "lead"].includes(role)) return null;
  const free = row.claimed_by === null;
  return html`<div class="missed-acts">
    ${free && html`<${Act} row=${row} action="claim" name="missed.claim" />`}
    ${(free || own) && row.callback_state === null && html`<${Act} row=${row} action="callback" name="missed.call_back">
      <${Icon} name="phone" /><//>`}
    ${!free && (own || lead) && !planned(row) && html`<${Act} row=${row} action="release" name="missed.release" />`}
    ${(own || lead) && html`<button class="small" data-test="missed-open-end" aria-expanded=${ending.value === row.missed_id}
      onClick=${() => (ending.value = ending.value === row.missed_id ? null : row.missed_id)}>${t("missed.end")}…</button>`}
  </div>`;
}

function Standing({ row }) {
  const holder = row.claimed_by && `${nameOf(row.claimed_by)} ${row.claimed_by}`.trim();
  return html`<span class="missed-standing">
    ${holder ? html`<b data-test="missed-holder">${holder}</b>` : html`<span class="muted">${t("missed.free")}</span>`}
    ${row.callback_state && html` · <span class=${`cb-${row.callback_state}`}>${t(`callback.${row.callback_state}`)}</span>`}
    ${row.callback_state === "due" && row.due_at && html` <span class="num">${dayTime(row.due_at)}</span>`}</span>`;
}

const Line = ({ row }) => html`<li data-test="missed-caller" data-id=${row.missed_id}>
  <div class="missed-line">
    <b class="num who" data-test="missed-number">${phone(row.number)}</b>
    <span class="num age" title=${t("missed.age")}><${Since} iso=${row.first_at} /></span>
    <span class="muted num when">${t("missed.tries", { n: row.tries })} · ${dayTime(row.first_at)}
      ${row.tries > 1 ? ` – ${dayTime(row.last_at)}` : ""}</span>
    <${Standing} row=${row} /><${Actions} row=${row} />
  </div>
  ${ending.value === row.missed_id && html`<${EndForm} row=${row} />`}</li>`;

export function MissedCallers() {
  useDuty(load);
  const withheld = board.value?.duty?.missed?.withheld ?? 0;
  if (!rows.value.length && !withheld && !refusal.value) return null;
  return html`<section class="card missed" data-test="missed"><h2>${t("missed.title")}
      <span class="count num" data-test="missed-count">${rows.value.length}</span>
      ${withheld > 0 && html`<small class="num" data-test="missed-withheld">${t("missed.withheld", { n: withheld })}</small>`}</h2>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    <ol>${rows.value.map((row) => html`<${Line} row=${row} key=${row.missed_id} />`)}</ol></section>`;
}

// For the wall: how many wait to be called back, and how long the first of them. No numbers.
export function MissedCount() {
  const missed = board.value?.duty?.missed;
  if (!missed?.open) return null;
  return html`<section class="card missed-count" data-test="missed-open"><h2>${t("missed.title")}
    <span class="count num">${missed.open}</span></h2>
    <p class="muted">${t("missed.oldest")} <b class="num"><${Since} iso=${missed.oldest_since} /></b></p></section>`;
}
