// The lead's desk: what agents ask to be allowed, who waits for a break, who is busy beyond what was agreed, retraining.
import { signal } from "@preact/signals";
import { ask } from "./api.js";
import { filler, useDuty } from "./duty.js";
import { clockTime, dayTime } from "./format.js";
import { t } from "./i18n.js";
import { board, me } from "./model.js";
import { html, Icon, Notice, Since } from "./ui.js";

export { AgentDuty } from "./requests_agent.js";

const permits = signal([]);
const refusal = signal(null);
const DECIDED_SHOWN = 6;
const MINUTES = 30;

const fill = filler(permits);
const load = () => fill("GET", "/permits");

async function send(path, body) {
  const answer = await ask("POST", path, body);
  refusal.value = answer.ok ? null : answer.problem;
  load();
  return answer.ok;
}

const leads = () => me.value.person.role === "lead";

function who(number) {
  const line = board.value?.agents.find((agent) => agent.number === number);
  return line ? `${line.name} ${number}` : number;
}

function Decide({ permit }) {
  if (permit.agent === me.value.person.number) return html`<p class="muted">${t("permit.own")}</p>`;
  function submit(event) {
    event.preventDefault();
    const fields = new FormData(event.target);
    const agreed = event.submitter.value === "agree";
    const minutes = agreed ? Number(fields.get("minutes")) : null;
    send(`/permits/${permit.permit_id}/decide`, { agreed, minutes, reason: fields.get("reason").trim() });
  }
  return html`<form class="decide" onSubmit=${submit}>
    <label class="grow">${t("permit.lead_reason")}<input name="reason" maxlength="200" required data-test="decide-reason" /></label>
    <label>${t("permit.minutes")}<input name="minutes" type="number" min="1" max="1440" required defaultValue=${MINUTES}
      data-test="minutes" class="num" /></label>
    <button class="small go" value="agree" data-test="agree">${t("permit.agree")}</button>
    <button class="small" value="decline" data-test="decline">${t("permit.decline")}</button></form>`;
}

const Waiting = ({ permit }) => html`<li data-test="request" data-kind=${permit.kind}>
  <div class="line"><b>${who(permit.agent)}</b><span class="tag">${t(`permit.${permit.kind}`)}</span>
    <span class="right num">${t("permit.waits")} <${Since} iso=${permit.asked_at} /></span></div>
  <p class="said">${permit.reason}</p>
  ${leads() && html`<${Decide} permit=${permit} />`}</li>`;

const Decided = ({ permit }) => html`<li data-test="decided" data-state=${permit.state}><div class="line">
    <span>${who(permit.agent)}</span><span>${t(`permit.${permit.kind}`)}</span>
    <span class=${`permit-${permit.state}`}>${t(`permit.state.${permit.state}`)}</span>
    <span class="right num muted">${dayTime(permit.asked_at)}</span></div>
  <small>${permit.reason}${permit.decided_by && ` · ${t("permit.answer", { by: permit.decided_by, text: permit.answer })}`}
    ${permit.until && ` · ${t("permit.until", { at: clockTime(permit.until) })}`}</small></li>`;

function Training() {
  async function submit(event) {
    event.preventDefault();
    const form = event.target;
    const fields = new FormData(form);
    if (await send("/trainings", { number: fields.get("number").trim(), note: fields.get("note").trim() })) form.reset();
  }
  return html`<details><summary>${t("training.title")}</summary><form class="decide" onSubmit=${submit}>
    <label>${t("login.number")}<input name="number" inputmode="numeric" pattern="[0-9]{2,8}" required data-test="train-number" /></label>
    <label class="grow">${t("training.note")}<input name="note" maxlength="200" required data-test="train-note" /></label>
    <button class="small" data-test="train">${t("training.record")}</button></form></details>`;
}

export function Requests() {
  useDuty(load);
  const waiting = permits.value.filter((permit) => permit.state === "asked").reverse();
  const decided = permits.value.filter((permit) => permit.state !== "asked").slice(0, DECIDED_SHOWN);
  const { over_time: over = [], break_line: line = [] } = board.value?.duty ?? {};
  return html`<section class="card requests" data-test="requests">
    <h2>${t("permit.title")}<span class="count num">${waiting.length}</span></h2>
    ${over.map((number) => html`<p class="callout bad" data-test="over-time"><${Icon} name="warn" />
      ${t("alarm.busy_over_time", { agent: who(number) })}</p>`)}
    ${!waiting.length && html`<p class="muted none">${t("permit.none")}</p>`}
    <ul class="permits">${waiting.map((permit) => html`<${Waiting} key=${permit.permit_id} permit=${permit} />`)}</ul>
    <${Notice} problem=${refusal.value} onClose=${() => (refusal.value = null)} />
    ${line.length > 0 && html`<p class="callout waiting" data-test="break-line"><b>${t("break.title")}</b> ${line.map(who).join(" → ")}</p>`}
    ${decided.length > 0 && html`<h3>${t("permit.decided")}</h3><ul class="permits quiet-list">
      ${decided.map((permit) => html`<${Decided} key=${permit.permit_id} permit=${permit} />`)}</ul>`}
    ${leads() && html`<${Training} />`}</section>`;
}
