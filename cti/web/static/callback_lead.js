// The lead's part of the callback desk: who makes which, quiet hours, how many callers may wait, draws, the dissatisfied.
import { signal } from "@preact/signals";
import { owed, send } from "./callback_acts.js";
import { filler, useDuty } from "./duty.js";
import { dayTime } from "./format.js";
import { t } from "./i18n.js";
import { board, nameOf } from "./model.js";
import { Talk } from "./player.js";
import { html } from "./ui.js";

const said = (event, name) => new FormData(event.currentTarget).get(name).trim();

// Assigning, and letting the next attempt be made in quiet hours.
export function LeadActs({ row }) {
  if (row.closed_at) return null;
  const assign = (event) => (event.preventDefault(), owed(row, "assign", { agent: said(event, "agent") }));
  const override = (event) => (event.preventDefault(),
    send("POST", `/callbacks/${encodeURIComponent(row.callback_id)}/override`, { reason: said(event, "reason") }));
  return html`<div class="cb-lead">
    <form onSubmit=${assign}><label>${t("callback.assign_to")}<select name="agent" data-test="assign-agent">
      ${(board.value?.agents ?? []).map((line) => html`<option value=${line.number} key=${line.number}>${line.number} ${line.name}</option>`)}</select></label>
      <button data-test="assign">${t("callback.assign")}</button></form>
    ${!row.override_by && html`<form class="grow" onSubmit=${override}><label class="grow">${t("callback.override_why")}
      <input name="reason" maxlength="200" required data-test="override-reason" /></label>
      <button data-test="override">${t("callback.override")}</button></form>`}</div>`;
}

const draws = signal([]);
const unhappy = signal([]);
const listed = signal([]);

const LISTS = [["/owed/draws", filler(draws)], ["/owed/dissatisfied", filler(unhappy)], ["/owed/supervised", filler(listed)]];
const load = () => Promise.all(LISTS.map(([path, fill]) => fill("GET", path)));

function InboundFirst() {
  const most = board.value?.duty?.dialling?.waiting_most;
  const set = (event) => (event.preventDefault(), send("PUT", "/callbacks/dialling", { waiting: Number(said(event, "waiting")) }));
  return html`<form class="cb-inbound" onSubmit=${set}><label>${t("callback.inbound_first")}
    <input name="waiting" type="number" min="0" max="50" required defaultValue=${most ?? 0} key=${most} data-test="inbound-first" /></label>
    <button class="small" data-test="set-inbound-first">${t("callback.set")}</button></form>`;
}

const Draw = ({ one }) => html`<tr data-test="draw" data-checked=${one.checked}><td class="num">${dayTime(one.opened_at)}</td><td>${one.pool}</td>
  <td class="num">${one.drawn.length} / ${one.listed.length}</td><td class="num">${one.percent}%</td>
  <td>${one.checked === null ? t("callback.draw.open") : one.checked ? html`<span class="done">✓ ${t("callback.draw.checked")}</span>`
    : html`<b class="bad-word">${t("callback.draw.wrong")}</b>`}</td>
  <td class="id" title=${one.commitment}>${(one.secret ?? one.commitment).slice(0, 12)}…</td></tr>`;

const lift = (event, one) => (event.preventDefault(),
  send("POST", `/owed/supervised/${encodeURIComponent(one.ticket_id)}/lift`, { reason: said(event, "reason") }).then(load));

export function LeadPanel() {
  useDuty(load);
  return html`<section class="card cb-leads" data-test="lead-panel"><h2>${t("callback.lead")}</h2><${InboundFirst} />
    <details open=${listed.value.length > 0}><summary>${t("callback.supervised")}<span class="count num" data-test="supervised">${listed.value.length}</span></summary>
      <ul>${listed.value.map((one) => html`<li key=${one.ticket_id}><b class="num">${one.ticket_id}</b> ${t("callback.times", { n: one.times })}
        <span class="num">${dayTime(one.since)}</span>
        <form onSubmit=${(event) => lift(event, one)}><input name="reason" maxlength="200" required placeholder=${t("callback.lift_why")} aria-label=${t("callback.lift_why")} />
        <button class="small">${t("callback.lift")}</button></form></li>`)}</ul></details>
    <details><summary>${t("callback.dissatisfied")}<span class="count num" data-test="dissatisfied">${unhappy.value.length}</span></summary>
      <ul>${unhappy.value.map((one) => html`<li key=${one.channel_id} data-test="unhappy"><b>${t(`callback.cause.${one.cause}`)}</b>
        <span class="num">${dayTime(one.at)} · ${one.ticket_id ?? ""}</span> ${nameOf(one.by)} <small class="num">${one.by}</small>
        <p class="words">${one.text}</p><${Talk} callbackId=${one.callback_id} ordinal=${one.ordinal} state=${one.recording} />
        <ol class="cb-steps">${one.steps.map((step, at) => html`<li key=${at}><span class="num">${dayTime(step.at)}</span> ${step.act}
          <small>${step.by}</small> ${step.detail}</li>`)}</ol></li>`)}</ul></details>
    <details><summary>${t("callback.draws")}<span class="count num">${draws.value.length}</span></summary>
      <table class="list"><thead><tr>${["opened", "pool", "drawn", "percent", "state", "proof"].map((name) => html`<th key=${name}>${t(`callback.draw.${name}`)}</th>`)}</tr></thead>
        <tbody>${draws.value.map((one) => html`<${Draw} one=${one} key=${one.draw_id} />`)}</tbody></table></details></section>`;
}
