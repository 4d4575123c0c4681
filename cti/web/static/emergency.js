// Emergencies: the leads' bar until somebody acknowledges, the agent's one key that rings the unit, a call to the front.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { announce } from "./alert.js";
import { ask } from "./api.js";
import { turns, useDuty } from "./duty.js";
import { timeOf } from "./format.js";
import { t } from "./i18n.js";
import { board, me } from "./model.js";
import { inWords, loadWords } from "./stub_words.js";
import { html, Icon, Notice, Since } from "./ui.js";

const refusal = signal(null);
const shown = signal(new Map()); // ticket id -> its emergency, or null

async function send(path, body) {
  const answer = await ask("POST", `/emergencies${path}`, body);
  refusal.value = answer.ok ? null : answer.problem;
  return answer;
}

const path = (id, action) => `/${encodeURIComponent(id)}/${action}`;
const Problem = () => html`<${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />`;

// --- The leads' bar: large, with sound, and again with each step until it is acknowledged.
const acknowledge = (one) => (event) => {
  event.preventDefault();
  send(path(one.emergency_id, "acknowledge"), { note: new FormData(event.currentTarget).get("note").trim() });
};

const Standing = ({ one }) =>
  one.reached_at
    ? html`<span class="emergency-reached">${t("emergency.reached", { at: timeOf(one.reached_at) })}</span>`
    : html`<span>${t(one.ringing ? "emergency.ringing" : "emergency.not_reached")}</span>`;

const Alarm = ({ one }) => html`<li data-test="emergency" data-id=${one.emergency_id}>
  <${Icon} name="warn" /><b>${t("emergency.title")}</b>
  <span>${t(`emergency.why.${one.why}`)} ${one.word}</span>
  <b class="num"><${Since} iso=${one.raised_at} /></b>
  ${one.agent && html`<span class="num">${t("emergency.agent", { agent: one.agent })}</span>`}
  ${one.area && html`<span>${inWords("areas", one.area)}</span>`}
  <${Standing} one=${one} />
  ${one.step > 0 && html`<span class="num" data-test="emergency-step">${t("emergency.step", { n: one.step })}</span>`}
  ${me.value.person.role === "lead" && html`<form onSubmit=${acknowledge(one)}>
    <input name="note" maxlength="200" aria-label=${t("emergency.note")} placeholder=${t("emergency.note")}
      data-test="emergency-note" />
    <button data-test="emergency-acknowledge">${t("emergency.acknowledge")}</button></form>`}</li>`;

export function EmergencyBar() {
  const open = board.value?.duty?.emergencies ?? [];
  const told = open.map((one) => `${one.emergency_id}:${one.step}`).join();
  useEffect(() => { if (told) announce("emergency"), loadWords(); }, [told]);
  if (!open.length && !refusal.value) return null;
  return html`<section class="emergency-bar" role="alert" data-test="emergency-bar">
    <ol>${open.map((one) => html`<${Alarm} one=${one} key=${one.emergency_id} />`)}</ol><${Problem} /></section>`;
}

// A waiting call to the front, by the lead.
export function Lift({ call }) {
  if (me.value.person.role !== "lead") return null;
  return html`<button class="small lift" data-test="lift" onClick=${() => send("/lift", { call_id: call.call_id })}
    title=${t("emergency.lift_hint")}>${t("emergency.lift")}</button>`;
}

// --- The agent's panel: one key rings the unit, and no field of the ticket need be filled in.
const turn = turns();
async function load(ticket) {
  const newer = turn();
  const answer = await ask("GET", `/emergencies?ticket_id=${encodeURIComponent(ticket.ticket_id)}`);
  if (answer.ok && newer()) shown.value = new Map(shown.value).set(ticket.ticket_id, answer.value[0] ?? null);
}

async function ring(ticket) {
  let one = shown.value.get(ticket.ticket_id);
  if (!one) {
    const raised = await send("", { ticket_id: ticket.ticket_id });
    if (!raised.ok) return;
    one = raised.value;
  }
  await send(path(one.emergency_id, "ring"));
  load(ticket);
}

const Tried = ({ call }) => html`<li data-test="unit-call" data-outcome=${call.outcome ?? "open"}>
  <b>${inWords("units", call.unit)}</b><span class="num">${call.number}</span>
  <span>${t(`unit_call.${call.outcome ?? (call.began_at ? "ringing" : "open")}`)}</span>
  <span class="num muted">${call.began_at ? timeOf(call.began_at) : ""}
    ${call.rang_ms === null ? "" : ` · ${(call.rang_ms / 1000).toFixed(1)} s`}</span></li>`;

const MOMENTS = ["answered_at", "call_ended_at", "dialled_at", "reached_at", "acknowledged_at"];

export function EmergencyPanel({ ticket }) {
  useDuty(() => load(ticket));
  useLayoutEffect(() => { // the key works as soon as it is shown
    const onKey = (event) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyU") return;
      event.preventDefault();
      if (!event.repeat) ring(ticket);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [ticket.ticket_id]);
  if (!["agent", "lead"].includes(me.value.person.role)) return null;
  const one = shown.value.get(ticket.ticket_id);
  const timed = MOMENTS.filter((name) => one?.seconds[name] !== undefined);
  return html`<section class=${`emergency-panel ${one ? "on" : ""}`} data-test="emergency-panel">
    <button class=${one ? "danger" : ""} data-test="ring-unit" aria-keyshortcuts="Alt+U" onClick=${() => ring(ticket)}>
      <${Icon} name="phone" />${t("emergency.ring")}<kbd>Alt U</kbd></button>
    ${one && html`<b>${t("emergency.title")}</b><span>${t(`emergency.why.${one.why}`)} ${one.word}</span>`}
    ${timed.map((name) => html`<span class="num muted" key=${name} data-test=${`timed-${name}`}>
      ${t(`emergency.${name}`)} ${one.seconds[name].toFixed(1)} s</span>`)}
    ${one?.unit_calls.length > 0 && html`<ol>${one.unit_calls.map((call) => html`<${Tried} call=${call} />`)}</ol>`}
    <${Problem} /></section>`;
}
