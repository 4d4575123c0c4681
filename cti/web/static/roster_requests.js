// Leave and swaps: asked, agreed by who stands in, decided by somebody else.
import { signal } from "@preact/signals";
import { dayTime } from "./format.js";
import { t } from "./i18n.js";
import { me } from "./model.js";
import { AgentChoice, Buttons, Field } from "./roster_forms.js";
import { fields, makes, nameOf, requests, send } from "./roster_state.js";
import { html } from "./ui.js";

const KINDS = ["personal", "sick", "annual", "swap"];
const kind = signal("personal");

function askOut(event, shift) {
  const { reason = "", with_agent: partner } = fields(event);
  const swap = kind.value === "swap" ? { with_agent: partner } : {};
  const body = { shift_id: shift.shift_id, kind: kind.value, reason, ...swap };
  return send("POST", "/roster/requests", body, "roster.asked");
}

export const AskForm = ({ shift }) => html`<form class="card roster-form" data-test="ask-form" onSubmit=${(event) => askOut(event, shift)}>
  <h2>${t("roster.ask", { at: dayTime(shift.starts_at) })}</h2>
  <${Field} label="roster.kind"><select data-test="kind" value=${kind.value} onChange=${(event) => (kind.value = event.currentTarget.value)}>
    ${KINDS.map((known) => html`<option key=${known} value=${known}>${t(`leave_kind.${known}`)}</option>`)}</select><//>
  ${kind.value === "swap" && html`<${Field} label="roster.partner">
    <${AgentChoice} name="with_agent" without=${me.value.person.number} /><//>`}
  <label class="wide">${t("roster.reason")}<input name="reason" required maxlength="200" data-test="reason" /></label>
  <${Buttons}><button class="primary" data-test="save">${t("roster.send")}</button><//></form>`;

const act = (request, what, body) => send("POST", `/roster/requests/${request.request_id}/${what}`, body);

function decide(event, request) {
  const { reason = "" } = fields(event);
  const agreed = event.submitter.value === "yes";
  return act(request, "decide", { agreed, reason });
}

function Actions({ request }) {
  const number = me.value.person.number;
  if (request.state === "partner" && request.partner === number)
    return html`<button class="small" data-test="agree" onClick=${() => act(request, "agree")}>${t("roster.agree")}</button>
      <button class="small" data-test="refuse" onClick=${() => act(request, "refuse", {})}>${t("roster.refuse")}</button>`;
  const open = ["partner", "pending"].includes(request.state);
  if (open && request.number === number)
    return html`<button class="small" data-test="withdraw" onClick=${() => act(request, "withdraw")}>${t("roster.withdraw")}</button>`;
  if (request.state === "pending" && makes() && request.partner !== number)
    return html`<form class="roster-decide" onSubmit=${(event) => decide(event, request)}>
      <input name="reason" maxlength="200" aria-label=${t("roster.reason")} placeholder=${t("roster.reason_decline")} data-test="decide-reason" />
      <button class="small primary" value="yes" data-test="approve">${t("roster.approve")}</button>
      <button class="small" value="no" data-test="decline">${t("roster.decline")}</button></form>`;
  return null;
}

const Line = ({ request }) => html`<li data-test="request" data-state=${request.state}>
  <div class="grow"><b>${nameOf(request.number)}</b> ${t(`leave_kind.${request.kind}`)}
    ${request.partner && html` → <b>${nameOf(request.partner)}</b>`}
    <span class="num"> ${dayTime(request.starts_at)}–${dayTime(request.ends_at)}</span>
    <span class=${`request-state ${request.state}`}>${t(`request_state.${request.state}`)}</span>
    <small>${request.steps.map((step, n) => html`<span key=${n}>${t(`request_step.${step.kind}`)} ${nameOf(step.by)}
      <span class="num"> ${dayTime(step.at)}</span>${step.reason && `${t("punct.colon")}${step.reason}`}</span>`)}</small></div>
  <${Actions} request=${request} /></li>`;

export const RequestList = () => html`<section class="card roster-requests" data-test="requests">
  <h2>${t("roster.requests")}<span class="count num">${requests.value.length}</span></h2>
  ${!requests.value.length && html`<p class="muted none">${t("roster.no_requests")}</p>`}
  <ol>${requests.value.map((request) => html`<${Line} key=${request.request_id} request=${request} />`)}</ol></section>`;
